"""Has the bundled plug-in show one analysis in Nion's own document model.

Prints as JSON what the data item is, and which Python and `streamer` were used.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import zmq
from nion.swift import Facade
from nion.swift.test import TestContext

Facade.initialize()
setup = TestContext.TestSetup()

import atomstream_bridge  # noqa: E402, F401 - has `streamer` be found in it

# isort: split
from drawn_analyses import analysis_of, atoms_at, grid, stream_of  # noqa: E402

from atomstream_bridge.remembering import remember  # noqa: E402
from atomstream_bridge.results import Results  # noqa: E402
from atomstream_bridge.results_settings import ResultsSettings  # noqa: E402
from streamer.publisher import Publisher  # noqa: E402

KEY = "atomstream/uSim Scan/HAADF"

with (
    TestContext.create_memory_context() as nion,
    zmq.Context() as context,
    Publisher(context, "tcp://127.0.0.1:*") as service,
):
    window = nion.create_document_controller_with_application()
    api = Facade.get_api("~1.0", "~1.0")
    file = Path(tempfile.mkdtemp()) / "atomstream-results.json"
    remember(file, ResultsSettings(enabled=True, address=service.url))
    results = Results(file, api)
    service.send(analysis_of(stream_of("run"), 7, atoms_at(*grid(60), silicon=2)))
    deadline = time.monotonic() + 30
    while results.state().shown.shown < 1:
        assert time.monotonic() < deadline, results.state()
        window.periodic()
        time.sleep(0.01)
    item = api.library.get_data_item_for_reference_key(KEY)
    seen = {
        "python": sys.version_info[:2],
        "streamer": sys.modules["streamer"].__file__,
        "title": item.title,
        "shape": item.xdata.data.shape,
        "units": [axis.units for axis in item.xdata.dimensional_calibrations],
        "points": len(item.display.graphics),
    }
    results.close()
sys.stdout.write(json.dumps(seen) + "\n")
