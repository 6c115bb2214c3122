"""A file that `torch.save` wrote: a tree of values, and the numbers of its tensors.

Both forms of it: the zip archive of PyTorch 1.6 and later, and the row of pickles
that came before.
"""

import math
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from inference.training.atomai.pickled import Storage, StoredTensor, unpickle
from streamer.errors import ModelError

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_PICKLE_BYTES = 4 * 1024 * 1024
"""Of the tree, without the numbers of its tensors."""
MAX_MEMBERS = 20_000
"""Of a zip archive, which has one for each tensor."""
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
DTYPES = {
    "torch.DoubleStorage": "<f8",
    "torch.FloatStorage": "<f4",
    "torch.HalfStorage": "<f2",
    "torch.LongStorage": "<i8",
    "torch.IntStorage": "<i4",
    "torch.ShortStorage": "<i2",
    "torch.CharStorage": "<i1",
    "torch.ByteStorage": "<u1",
    "torch.BoolStorage": "<u1",
}
"""Of the numbers in each kind of storage."""
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
)
"""What `zipfile` raises for archives that are damaged or ask for too much."""


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What was saved."""

    value: object
    """As `unpickle` gives it."""
    numbers: Mapping[str, bytes]
    """Raw content of each storage, by its key."""

    def weights(
        self, tensors: Mapping[object, object]
    ) -> dict[str, NDArray[np.float32]]:
        """A state dictionary's tensors by name, each a float32 array of its own.

        Raises
        ------
        ModelError
            Something else among them, or a tensor that lies outside of its storage.
        """
        named = {}
        for name, tensor in tensors.items():
            if not (isinstance(name, str) and isinstance(tensor, StoredTensor)):
                raise ModelError(f"{name!s:.80} is not a tensor")
            named[name] = tensor
        if 4 * sum(math.prod(t.shape) for t in named.values()) > MAX_FILE_BYTES:
            raise ModelError("its tensors are larger than any model's")
        return {name: self._array(tensor, name) for name, tensor in named.items()}

    def _array(self, tensor: StoredTensor, name: str) -> NDArray[np.float32]:
        storage = _numbers(tensor.storage, self.numbers, name)
        steps = zip(tensor.shape, tensor.strides, strict=True)
        last = tensor.offset + sum((side - 1) * step for side, step in steps)
        count = math.prod(tensor.shape)
        if count == 0 or count > storage.size or last >= storage.size:
            raise ModelError(f"tensor {name} lies outside of its storage")
        strides = [
            step * storage.itemsize if side > 1 else 0
            for side, step in zip(tensor.shape, tensor.strides, strict=True)
        ]
        view = as_strided(storage[tensor.offset :], tensor.shape, strides)
        # Beyond float32 is infinite, which is refused with what was infinite before.
        with np.errstate(over="ignore"):
            array = np.array(view, np.float32)
        if not np.isfinite(array).all():
            raise ModelError(f"tensor {name} holds numbers that are not finite")
        return array


def read_saved(path: Path) -> tuple[Saved, bytes]:
    """What `torch.save` wrote to a file, and the file's bytes.

    Nothing in the file is run, and nothing is allocated that the file does not fill.

    Raises
    ------
    ModelError
        It cannot be read, or is no such file, or a damaged one.
    """
    content = _content(path)
    read: Callable[[bytes], Saved]
    if content.startswith(b"PK\x03\x04"):
        read = _read_zip
    elif content.startswith(b"\x80"):
        read = _read_legacy
    else:
        raise ModelError(f"{path} is not a file that torch.save wrote")
    try:
        return read(content), content
    except ModelError as error:
        raise ModelError(f"{path} cannot be read: {error}") from error


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ModelError(f"{path} is larger than any model should be")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error


def _read_zip(content: bytes) -> Saved:
    # Before `zipfile` makes an object of each.
    if content.count(b"PK\x01\x02") > MAX_MEMBERS:
        raise ModelError("its zip archive has more members than any model's")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = _stored_members(archive, len(content))
            root = next(name for name in members if name.endswith("/data.pkl"))[:-8]
            if members.get(f"{root}byteorder", b"little") != b"little":
                raise ModelError("its numbers are not little-endian")
    except StopIteration as error:
        raise ModelError("a zip archive, but not one of torch.save") from error
    except DAMAGE as error:
        raise ModelError("its zip archive is damaged") from error
    value = _tree(members[f"{root}data.pkl"])
    folder = f"{root}data/"
    numbers = {
        name.removeprefix(folder): member
        for name, member in members.items()
        if name.startswith(folder)
    }
    return Saved(value, numbers)


def _stored_members(archive: zipfile.ZipFile, limit: int) -> dict[str, bytes]:
    """Content by name; PyTorch compresses nothing, so the sum is known beforehand."""
    infos = archive.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise ModelError("it is compressed, which torch.save does not do")
    if sum(info.file_size for info in infos) > limit:
        raise ModelError("its zip archive is damaged")
    return {info.filename: archive.read(info) for info in infos}


def _tree(pickled: bytes) -> object:
    if len(pickled) > MAX_PICKLE_BYTES:
        raise ModelError("its pickle is larger than any model's")
    return unpickle(BytesIO(pickled)).value


def _read_legacy(content: bytes) -> Saved:
    file = BytesIO(content)
    if unpickle(file).value != LEGACY_MAGIC:
        raise ModelError("a pickle, but not one of torch.save")
    protocol, system = unpickle(file).value, unpickle(file).value
    little = isinstance(system, dict) and system.get("little_endian") is True
    if protocol != LEGACY_PROTOCOL or not little:
        raise ModelError("written in a form of torch.save that is not known")
    tree, keys = unpickle(file), unpickle(file).value
    numbers = {}
    for key in keys if isinstance(keys, list) else []:
        if not (isinstance(key, str) and key in tree.storages):
            raise ModelError("its list of storages is damaged")
        storage = tree.storages[key]
        length = int.from_bytes(file.read(8), "little")
        if length != storage.length:
            raise ModelError("its storages are damaged")
        numbers[key] = file.read(length * np.dtype(_dtype(storage)).itemsize)
    return Saved(tree.value, numbers)


def _numbers(
    storage: Storage, numbers: Mapping[str, bytes], name: str
) -> NDArray[np.generic]:
    content, dtype = numbers.get(storage.key, b""), np.dtype(_dtype(storage))
    if len(content) < storage.length * dtype.itemsize or storage.length == 0:
        raise ModelError(f"the numbers of tensor {name} are cut short")
    return np.frombuffer(content, dtype, storage.length)


def _dtype(storage: Storage) -> str:
    if storage.kind not in DTYPES:
        raise ModelError(
            f"it holds numbers of a kind that is not supported ({storage.kind:.80}); "
            "save it as float32"
        )
    return DTYPES[storage.kind]
