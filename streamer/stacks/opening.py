"""The one door to all formats."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from streamer.errors import StackError
from streamer.frame import check_pixel_size
from streamer.stacks.failures import stack_failures
from streamer.stacks.hdf5 import open_hdf5
from streamer.stacks.ndata import open_ndata
from streamer.stacks.npy import open_npy, open_npz
from streamer.stacks.recorded_session import open_session
from streamer.stacks.stack import Recording, Selection, Stack
from streamer.stacks.tiff import open_tiff

type Reader = Callable[[Path, Selection], Recording]

READERS: MappingProxyType[str, Reader] = MappingProxyType(
    {
        ".tif": open_tiff,
        ".tiff": open_tiff,
        ".npy": open_npy,
        ".npz": open_npz,
        ".ndata": open_ndata,
        ".h5": open_hdf5,
        ".hdf5": open_hdf5,
        ".nhdf": open_hdf5,
    }
)
"""By the ending of a file, in lower case."""


def open_stack(
    path: Path,
    *,
    channel: str | None = None,
    pixel_size_nm: float | None = None,
    oblong_as_unknown: bool = False,
) -> Stack:
    """A recorded stack, of which each frame is read when it is asked for.

    Parameters
    ----------
    path
        A file of one of the formats in `READERS`, or the folder of a session.
    channel
        Which detector signal of several, by its name; by default HAADF, or else the
        first. For a file that names none it is the name that its frames get.
    pixel_size_nm
        Holds instead of the file's own calibration. The origin stays the file's.
    oblong_as_unknown
        Whether a file whose pixels are not square gives frames without calibration
        instead of being refused, for who knows their size.

    Raises
    ------
    StackError
        It cannot be read: the message says why, in one line.
    FrameError
        `pixel_size_nm` cannot be one.
    """
    check_pixel_size(pixel_size_nm)
    selection = Selection(channel, pixel_size_nm, oblong_as_unknown)
    with stack_failures(path):
        recording = _reader(path)(path, selection)
        try:
            return Stack(path, recording, selection)
        except StackError:
            recording.close()
            raise


def _reader(path: Path) -> Reader:
    if not path.exists():
        raise StackError(f"{path} does not exist")
    reader = READERS.get(path.suffix.lower())
    if path.is_dir() and reader is None and path.suffix.lower() != ".zarr":
        return open_session
    if reader is None:
        raise StackError(
            f"{path.name}: “{path.suffix}” cannot be read; "
            f"supported are {', '.join(READERS)} and the folder of a session"
        )
    # Reading from a pipe or a device could wait for ever.
    if not path.is_file():
        raise StackError(f"{path} is not a file")
    return reader
