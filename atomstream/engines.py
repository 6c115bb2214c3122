"""Which engine a command works with, as its options say.

What is heavy is imported when an engine is opened.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING

from inference.catalogue import find_model, verify_model
from inference.device import Device, fallback_in_words, wanted_providers
from inference.model_files import ModelFiles, read_model
from streamer.errors import SettingsError

if TYPE_CHECKING:
    from inference.engines.engine import Engine

SCHEDULER = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):\d{1,5}")


class EngineKind(StrEnum):
    """Where the analysing is done."""

    LOCAL = "local"
    """In the process that also commits the analyses."""
    DASK = "dask"
    """By the workers of a Dask cluster."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine, before there is one."""

    kind: EngineKind = EngineKind.LOCAL
    scheduler: str | None = None
    """Address of the Dask scheduler."""
    threads: int = 2
    """That analyse a frame."""
    device: Device = Device.AUTO
    refine: bool = True
    """Whether positions are measured by a fit to the frame."""

    def check(self) -> None:
        """Refuse, before anything is started, what can be seen to fail.

        Raises
        ------
        SettingsError
            Options that do not go together, or need what is not installed.
        """
        if self.kind is EngineKind.DASK:
            check_scheduler(self.scheduler)
        elif self.scheduler is not None:
            raise SettingsError("--scheduler goes with --engine dask")
        else:
            check_device(self.device)

    def reach(self) -> None:
        """Wait, for a bounded time, until the cluster answers, if there is to be one.

        Raises
        ------
        SettingsError, LinkError, EngineError
            It does not, or cannot analyse.
        """
        if self.kind is EngineKind.DASK:
            scheduler = check_scheduler(self.scheduler)
            from inference.engines.cluster.connection import reach

            reach(scheduler)

    def open(
        self,
        files: ModelFiles,
        pixel_size_nm: float | None,
        estimate_pixel_size: bool,
        tell: Callable[[str], None],
    ) -> "Engine":
        """The engine at work with a model.

        Parameters
        ----------
        pixel_size_nm
            Instead of the frames' own calibration; None to trust that.
        estimate_pixel_size
            Whether each frame's own lattice is asked first.
        tell
            Called with a line that a person should see.

        Raises
        ------
        ModelError, SettingsError, EngineError
            It cannot be used.
        """
        from inference.engines.engine import Setup

        setup = Setup(
            self.threads,
            self.device,
            pixel_size_nm,
            estimate_pixel_size,
            self.refine,
        )
        if self.kind is EngineKind.DASK:
            scheduler = check_scheduler(self.scheduler)
            from inference.engines.cluster.engine import DaskEngine

            return DaskEngine(scheduler, files, setup, tell)
        from inference.engines.local import LocalEngine
        from inference.runtime import onnxruntime

        engine = LocalEngine(files, setup)
        available = onnxruntime.get_available_providers()
        line = fallback_in_words(self.device, available, engine.provider)
        if line:
            tell(line)
        return engine


def check_device(device: Device) -> None:
    """Refuse, before anything is loaded, a device that the networks cannot run on.

    Raises
    ------
    SettingsError
        The installed ONNX Runtime was not built for it.
    """
    if device is Device.CUDA:
        from inference.runtime import onnxruntime

        wanted_providers(device, onnxruntime.get_available_providers())


def check_scheduler(url: str | None) -> str:
    """The address; refused where it cannot be a scheduler's.

    Raises
    ------
    SettingsError
        None, of another form, or there is no Dask here.
    """
    if url is None:
        raise SettingsError(
            "--engine dask needs --scheduler, for instance tcp://10.0.0.7:8786"
        )
    if not SCHEDULER.fullmatch(url):
        raise SettingsError(
            f"--scheduler {url}: expected tcp://HOST:PORT or tls://HOST:PORT"
        )
    if find_spec("distributed") is None:
        raise SettingsError(
            "--engine dask needs distributed; install it with: uv sync --extra cluster"
        )
    return url


def files_of(name_or_folder: str) -> ModelFiles:
    """The files of a shipped model, or of one in a folder.

    Raises
    ------
    ModelError
        As for `find_model` and `read_model`.
    """
    return read_model(find_model(name_or_folder))


def whole_files_of(name_or_folder: str) -> ModelFiles:
    """Those of `files_of`, after every file on the card was checked.

    Raises
    ------
    ModelError
        As for `files_of` and `verify_model`.
    """
    verify_model(find_model(name_or_folder))
    return files_of(name_or_folder)
