"""Files that mean harm: a ModelError, in bounded memory and time, and nothing else."""

import io
import pickle
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the extra [train]")

from inference.training.atomai.networks import SavedUnet, read_network
from inference.training.atomai.unet import ServedUnet
from inference.training.atomai.vae import ServedDecoder, ServedEncoder
from streamer.errors import ModelError

SAVED = Path(__file__).parent / "saved"
TREE = "/data.pkl"
MAX_BYTES, MAX_CPU_S = 100e6, 30
"""Of a refusal; a good file of this size takes a tenth of either."""
GOOD = ("unet-dilated-once.tar", "unet-legacy.pt", "rvae.tar", "vae.tar")
NUMBERS = (0, 1, 3, 127, 255)


def bring_in(path: Path) -> None:
    """Everything that an import does but the export of what it has built."""
    saved = read_network(path)
    if isinstance(saved, SavedUnet):
        ServedUnet(saved)
    else:
        ServedEncoder(saved, 1)
        ServedDecoder(saved)


def unpacked(content: bytes) -> dict[str, bytes]:
    """The members of a zip archive; the whole file where it is none."""
    if not content.startswith(b"PK"):
        return {TREE: content}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    if list(members) == [TREE]:
        return members[TREE]
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", compression) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return whole.getvalue()


def with_tree(file: str, change: Callable[[bytes], bytes]) -> bytes:
    """A good file whose pickle was changed, its checksums right."""
    members = unpacked((SAVED / file).read_bytes())
    name = next(name for name in members if name.endswith(TREE))
    return packed(members | {name: change(members[name])})


type Edit = tuple[float, str, int]
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(("set", "drop", "repeat", "cut")),
        st.sampled_from(NUMBERS) | st.integers(0, 255),
    ),
    min_size=1,
    max_size=4,
)


def edited(content: bytes, edits: list[Edit]) -> bytes:
    """Bytes set, left out, repeated, or all cut off that follow."""
    for where, kind, number in edits:
        place = int(where * min(len(content), 20_000))
        before, after = content[:place], content[place:]
        content = {
            "set": before + bytes([number]) + after[1:],
            "drop": before + after[1 + number // 8 :],
            "repeat": before + after[:number] + after,
            "cut": before if number > 200 else content,
        }[kind]
    return content


@settings(max_examples=150, deadline=None)
@example("unet-dilated-once.tar", [(0.125, "drop", 96)], True)  # half an escape
@given(st.sampled_from(GOOD), EDITS, st.booleans())
def test_a_damaged_file_is_imported_or_refused_and_nothing_worse(
    tmp_path_factory: pytest.TempPathFactory, file: str, edits: list[Edit], tree: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    if tree:
        path.write_bytes(with_tree(file, lambda content: edited(content, edits)))
    else:
        path.write_bytes(edited((SAVED / file).read_bytes(), edits))
    try:
        bring_in(path)
    except ModelError as error:
        assert "\n" not in str(error)  # noqa: PT017  (importing well is right too)


SHAPES = st.lists(st.integers(1, 40), max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(GOOD), st.data())
def test_weights_that_do_not_fit_are_refused_and_nothing_worse(
    tmp_path_factory: pytest.TempPathFactory, file: str, data: st.DataObject
) -> None:
    saved = torch.load(SAVED / file, weights_only=False)
    part = data.draw(st.sampled_from(("weights", "encoder", "decoder")))
    weights = saved.get(part, saved)
    name = data.draw(st.sampled_from(sorted(weights)))
    other = data.draw(st.sampled_from(sorted(weights)) | st.just("px.weight"))
    kind = data.draw(st.sampled_from(("rename", "drop", "swap", "reshape", "value")))
    if kind in ("rename", "drop"):
        value = weights.pop(name)
        weights |= {other: value} if kind == "rename" else {}
    elif kind == "swap":
        weights[name] = weights.get(other, 3)
    else:
        value = torch.zeros(data.draw(SHAPES)) if kind == "reshape" else None
        weights[name] = value
    path = tmp_path_factory.getbasetemp() / "misfit"
    torch.save(saved, path)
    try:
        bring_in(path)
    except ModelError as error:
        assert "\n" not in str(error)  # noqa: PT017  (importing well is right too)


def text(value: object) -> bytes:
    return b"X" + struct.pack("<I", len(str(value))) + str(value).encode()


def programs(trace: Path) -> dict[str, bytes]:
    """Pickles, without their end, each of which makes a file if it is run."""
    command = text(f"touch {trace}")
    memmap = text(trace) + text("uint8") + text("w+") + b"K\x00K\x04"
    return {
        "REDUCE": b"cos\nsystem\n(" + command + b"tR",
        "STACK_GLOBAL": text("os") + text("system") + b"\x93(" + command + b"tR",
        "INST": b"(" + command + b"ios\nsystem\n",
        "OBJ": b"(cos\nsystem\n" + command + b"o",
        "NEWOBJ": b"cnumpy\nmemmap\n(" + memmap + b"t\x81",
        "NEWOBJ_EX": b"cnumpy\nmemmap\n(" + memmap + b"t}\x92",
        "BUILD": b"ctypes\nSimpleNamespace\n)R}" + text("__setstate__")
        + b"cos\nsystem\nsb" + command + b"b",
    }  # fmt: skip


@pytest.mark.parametrize("operation", programs(Path()))
@pytest.mark.parametrize("file", ["unet-legacy.pt", "unet-dilated-once.tar"])
def test_a_program_in_a_file_is_not_run(
    tmp_path: Path, operation: str, file: str
) -> None:
    trace, path = tmp_path / "trace", tmp_path / "weights.pt"
    program = b"\x80\x04" + programs(trace)[operation]
    pickle.loads(program + b".")
    assert trace.exists(), "not a program that does anything"
    trace.unlink()
    path.write_bytes(with_tree(file, lambda tree: program + b"0" + tree))
    bring_in(path)  # what the program would have made was thrown away: b"0"
    path.write_bytes(with_tree(file, lambda _: program + b"."))
    with pytest.raises(ModelError):
        bring_in(path)
    assert not trace.exists()


def doubled(times: int) -> bytes:
    """Lists of twice the list before, the last one under a name that is looked at."""
    lists = b"]" + b"".join(
        b"(h" + bytes([n]) + b"h" + bytes([n]) + b"lq" + bytes([n + 1]) + b"0"
        for n in range(times)
    )
    known = text("model_type") + text("seg") + text("model") + b"h" + bytes([times])
    return b"\x80\x02]q\x000" + lists + b"(" + known + text("weights") + b"}d."


def colliding(count: int) -> bytes:
    """A memo whose places all look alike to a dictionary."""
    modulus = (1 << 61) - 1
    places = b"".join(b"p%d\n" % (number * modulus) for number in range(1, count))
    return b"\x80\x02}" + places + b"."


def many_keys(count: int) -> bytes:
    """The same, as the keys of the tree."""
    modulus = (1 << 61) - 1
    pairs = b"".join(b"L%dL\nN" % (number * modulus) for number in range(1, count))
    return b"\x80\x02(" + pairs + b"d."


def lying(file: str, number: bytes) -> bytes:
    """A good file, in whose pickle a number, wherever it is, became a billion."""
    billion = b"J" + struct.pack("<i", 1 << 30)
    lie = with_tree(file, lambda tree: tree.replace(number, billion))
    assert lie != with_tree(file, lambda tree: tree), "nothing to lie about"
    return lie


def zeros() -> bytes:
    """150 MB of them, compressed to a thousandth."""
    members = unpacked((SAVED / "vae.tar").read_bytes())
    members[next(iter(members)).split("/")[0] + "/data/0"] = bytes(150_000_000)
    return packed(members, zipfile.ZIP_DEFLATED)


def of_many_members() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as many:
        for number in range(25_000):
            many.writestr(str(number), b"")
    return whole.getvalue()


def with_a_size_that_lies() -> bytes:
    """A member of 4 GB, as the archive's directory has it."""
    content = bytearray((SAVED / "vae.tar").read_bytes())
    place = content.index(b"PK\x01\x02")
    content[place + 20 : place + 28] = struct.pack("<II", 0xFFFFFFF0, 0xFFFFFFF0)
    return bytes(content)


def in_a_tree(tree: bytes) -> bytes:
    return packed({"x/data.pkl": tree, "x/version": b"3\n"})


BOMBS: dict[str, Callable[[], bytes]] = {
    "lists of lists": lambda: in_a_tree(doubled(200)),
    "a memo of alike places": lambda: in_a_tree(colliding(60_000)),
    "a dictionary of alike keys": lambda: in_a_tree(many_keys(40_000)),
    "a long number": lambda: in_a_tree(b"\x80\x02L" + b"9" * 3_000_000 + b"L\n."),
    "marks without end": lambda: in_a_tree(b"\x80\x02" + b"(" * 1_000_000 + b"."),
    "a string longer than the file": lambda: in_a_tree(b"\x80\x02X\xff\xff\xff\x7f."),
    "bytes longer than the file": lambda: in_a_tree(
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"."
    ),
    "a compressed archive": zeros,
    "very many members": of_many_members,
    "a member larger than the file": with_a_size_that_lies,
    "windows (of 576 pixels) that are larger": lambda: lying("vae.tar", b"M@\x02"),
    "shapes (of 2 channels) that are larger": lambda: lying("unet-legacy.pt", b"K\x02"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_little_cost(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bomb.tar"
    path.write_bytes(BOMBS[name]())
    tracemalloc.start()
    began_s = time.process_time()
    try:
        with pytest.raises(ModelError) as refused:
            bring_in(path)
        spent_s = time.process_time() - began_s
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "\n" not in str(refused.value)
    assert spent_s < MAX_CPU_S
    assert peak_bytes < MAX_BYTES


def test_weights_larger_than_a_card_allows_are_refused(tmp_path: Path) -> None:
    saved = torch.load(SAVED / "vae.tar", weights_only=False)
    saved["encoder"]["dense.0.weight"] = torch.zeros(8, 1000 * 1000)
    path = tmp_path / "large.tar"
    torch.save(saved, path)
    with pytest.raises(ModelError, match="windows of 1000 x 1000 pixels"):
        bring_in(path)
