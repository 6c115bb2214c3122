"""Has Nion's own loader start the bundled plug-in, and Nion's simulator scan.

Prints what a plain ZeroMQ client receives, as JSON: two frames of 8 x 8 pixels.
"""

import json
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import msgpack
import numpy as np
import zmq
from nion.instrumentation import HardwareSource, scan_base
from nion.swift.model import PlugInManager
from nion.utils import Registry

try:
    from nion.usim_device import InstrumentDevice, ScanDevice
except ImportError:  # as it was when instrumentation was 22.0
    from nionswift_plugin.usim import InstrumentDevice, ScanDevice

PACKAGES = ("nionswift", "nionswift-instrumentation")


def ramp(rows, cols):  # noqa: ANN001, ANN201
    """A frame whose pixels are 0, 1, 2 ..."""
    return np.arange(rows * cols, dtype=np.float32).reshape(rows, cols)


class Ramp:
    """What a simulator asks for frames."""

    def generate_scan_data(self, instrument, parameters):  # noqa: ANN001, ANN201, ARG002
        return ramp(*parameters.size)


def new_instrument():  # noqa: ANN201
    """Nion's simulated microscope, whose scan sees a ramp."""
    name = "usim_stem_controller"
    if hasattr(InstrumentDevice, "ValueManager"):
        values, axes = InstrumentDevice.ValueManager(), InstrumentDevice.AxisManager()
        return InstrumentDevice.Instrument(name, values, axes, Ramp())
    ScanDevice.Device.get_scan_data = lambda _, wanted, channel: ramp(*wanted.size)  # noqa: ARG005
    return InstrumentDevice.Instrument(name)


folder = Path(tempfile.mkdtemp())
HardwareSource.run()
scan_base.run(folder)
instrument = new_instrument()
Registry.register_component(instrument, {"stem_controller"})
Registry.register_component(ScanDevice.ScanModule(instrument), {"scan_module"})
scan = Registry.get_component("scan_hardware_source")
parameters = scan.get_current_frame_parameters()
parameters.pixel_size, parameters.pixel_time_us, parameters.fov_nm = (8, 8), 1000, 4.0
scan.set_current_frame_parameters(parameters)

(folder / "atomstream.json").write_text('{"address": "tcp://127.0.0.1:*"}')
api = SimpleNamespace(
    application=SimpleNamespace(configuration_location=str(folder)),
    create_panel=lambda panel: panel,
)
PlugInManager.register_api_broker_fn(lambda **_: api)
PlugInManager.load_plug_in("PlugIns", "atomstream_bridge")
(extension,) = PlugInManager.extensions
bridge = extension._bridge
client = zmq.Context().socket(zmq.SUB)
client.subscribe("")
client.connect(bridge.state().url)
client.recv_multipart()  # a heartbeat: it is connected
scan.start_playing()
seen = []
deadline = time.monotonic() + 30
while len(seen) < 2:
    assert client.poll(5_000), bridge.state()
    assert time.monotonic() < deadline, bridge.state()
    topic, header, payload = client.recv_multipart()
    fields = msgpack.unpackb(header)
    if fields["kind"] == "frame":
        pixels = np.frombuffer(payload, fields["dtype"]).tolist()
        seen.append({"topic": topic.decode(), **fields, "pixels": pixels})
scan.stop_playing(sync_timeout=20)
PlugInManager.unload_plug_ins()
client.close(0)
result = {
    "python": sys.version_info[:2],
    "packages": {name: version(name) for name in PACKAGES},
    "streamer": sys.modules["streamer"].__file__,
    "frames": seen,
}
sys.stdout.write(json.dumps(result) + "\n")
