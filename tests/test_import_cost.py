"""What starts without what it does not need: a list of modules, not a time."""

import subprocess
import sys

import pytest

NEVER = {"torch", "onnx", "onnxscript", "dask", "distributed", "matplotlib", "pandas",
         "sklearn", "skimage"}  # fmt: skip
SCREEN = {"bokeh", "tornado", "typer", "rich"}
FILES = {"pyarrow", "h5py", "tifffile"}
SOLVERS = {"scipy.optimize", "scipy.stats", "scipy.signal", "scipy.interpolate"}

UNNEEDED = {
    "inference.analyse": NEVER | SCREEN | FILES | SOLVERS,
    "streamer.publisher": NEVER | SCREEN | FILES | {"scipy", "onnxruntime"},
    "atomstream.app": NEVER | SOLVERS | {"bokeh", "tornado", "onnxruntime", "scipy"},
    "atomstream.service.receiving": NEVER | SCREEN | {"onnxruntime", "scipy"},
    "atomstream.metrics.server": NEVER | FILES | {"bokeh", "onnxruntime", "scipy"},
    "dashboard.server": NEVER | FILES | {"onnxruntime", "scipy"},
}


@pytest.mark.parametrize("module", UNNEEDED)
def test_what_is_not_needed_is_not_imported_by(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    imported = set(done.stdout.split())
    assert module in imported
    assert imported.isdisjoint(UNNEEDED[module]), imported & UNNEEDED[module]
