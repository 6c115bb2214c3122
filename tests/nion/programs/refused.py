"""Has the loader of a Nion Swift that is too old start the bundled plug-in.

Prints what its panel would tell, as JSON.
"""

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

from nion.swift.model import PlugInManager

folder = Path(tempfile.mkdtemp())
(folder / "atomstream.json").write_text('{"address": "tcp://127.0.0.1:*"}')
api = SimpleNamespace(
    application=SimpleNamespace(configuration_location=str(folder)),
    create_panel=lambda panel: panel,
)
PlugInManager.register_api_broker_fn(lambda **_: api)
PlugInManager.load_plug_in("PlugIns", "atomstream_bridge")
(extension,) = PlugInManager.extensions
told = sys.modules[type(extension).__module__ + ".form"].told
result = {
    "packages": {name: version(name) for name in ("nionswift-instrumentation",)},
    "told": told(extension._bridge.state()),
}
PlugInManager.unload_plug_ins()
sys.stdout.write(json.dumps(result) + "\n")
