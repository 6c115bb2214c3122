"""Where figures were measured, and how busy it was."""

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("atomstream", "numpy", "scipy", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Machine:
    """What a figure depends on beside the program."""

    processor: str
    cores: int
    system: str
    load_average: float | None
    """Processes that wanted to run in the minute before; None where nobody counts."""
    versions: dict[str, str]

    @property
    def busy(self) -> bool:
        """Whether others were at work when the measurement began."""
        return (self.load_average or 0.0) > 0.5


def this_machine() -> Machine:
    """Asked now."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return Machine(
        processor=processor(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}",
        load_average=load,
        versions={name: installed(name) for name in PACKAGES},
    )


def processor() -> str:
    """Its name, as far as the system tells."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def installed(package: str) -> str:
    """Version of a package, "" where it goes by another name."""
    with suppress(ModuleNotFoundError):
        return version(package)
    return ""
