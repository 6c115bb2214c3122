"""Whatever the bytes of a file are: a stack, or a StackError in one line."""

import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.errors import StackError
from streamer.frame import Stream
from streamer.stacks import open_stack

STREAM = Stream("5f0c", "file", "HAADF")
MUTANTS = 100
"""Of each file, and fewer of those that are tried in a process of their own."""
MUTANTS_OF_HDF5 = 6


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.stacks.hdf5.PATIENCE_S", 3.0)


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """No more than a frame of the largest size may be asked for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (in_use + 2**30, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Bytes of `data` changed, left out, doubled or cut off."""
    mutant = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        place = rng.randrange(len(mutant))
        match rng.randrange(6):
            case 0:
                mutant[place : place + 1] = b""
            case 1:
                mutant[place:place] = mutant[place : place + 4]
            case 2:
                mutant[place : place + 4] = rng.choice([b"\xff" * 4, bytes(4)])
            case _:
                mutant[place] = rng.randrange(256)
    return bytes(mutant[: rng.choice([len(mutant)] * 4 + [rng.randrange(len(mutant))])])


def read(path: Path) -> str:
    """What was wrong with the file, if anything was."""
    try:
        with open_stack(path) as stack:
            for index in range(min(len(stack), 3)):
                stack.frame(index, STREAM)
    except StackError as error:
        return str(error)
    return ""


NAMES = [
    "nion.ndata", "nion.h5", "nion.nhdf", "nion.tif", "plain.npy", "plain.npz",
    "packed.npz", "plain.hdf5", "plain.tif", "packed.tif", "imagej.tif", "ome.tif",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_mutated_files_are_read_or_refused(
    every_file: dict[str, Path], tmp_path: Path, name: str
) -> None:
    whole = every_file[name].read_bytes()
    path = tmp_path / f"mutant{every_file[name].suffix}"
    refused = 0
    hdf5 = "hdf" in path.suffix or path.suffix == ".h5"
    for seed in range(MUTANTS_OF_HDF5 if hdf5 else MUTANTS):
        path.write_bytes(mutate(whole, random.Random(f"{name} {seed}")))
        before = time.monotonic()
        said = read(path)
        refused += bool(said)
        assert "\n" not in said
        assert time.monotonic() - before < 10
    assert refused > 0


def test_every_format_is_mutated(every_file: dict[str, Path]) -> None:
    assert sorted(every_file) == sorted(NAMES)


def test_any_bytes_under_any_name_are_refused(tmp_path: Path) -> None:
    for suffix in (".tif", ".npy", ".npz", ".ndata", ".h5", ".nhdf"):
        path = tmp_path / f"a{suffix}"
        for content in (random.Random(suffix).randbytes(500), b"II*\0", b"PK\3\4"):
            path.write_bytes(content)
            assert read(path)


def test_a_file_that_makes_the_hdf5_library_loop_for_ever_is_refused(
    every_file: dict[str, Path],
) -> None:
    path = every_file["nion.nhdf"]
    data = bytearray(path.read_bytes())
    # The size of the first text in the heap: what follows is taken for the next one.
    data[data.index(b"GCOL") + 24] = 0x40
    path.write_bytes(data)
    assert read(path) == f"{path} is damaged: the HDF5 library gets lost in it"
