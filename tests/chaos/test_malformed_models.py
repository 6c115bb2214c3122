"""A model that somebody else made: as its card says, or refused before it is loaded."""

import hashlib
import json
import os
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from inference.card import CARD_FILE, MAX_CARD_BYTES, parse_card
from inference.catalogue import DEFAULT, find_model, verify_model
from inference.model import load_model
from inference.session import open_session
from streamer.errors import AtomstreamError, ModelError
from tests.chaos.counting import resident_bytes, wanted
from tests.chaos.mutation import HOSTILE
from tests.chaos.onnx_by_hand import elsewhere, network, node, whole_number

type Report = Callable[..., None]

MIB = 2**20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped model, to be spoilt."""
    return Path(shutil.copytree(find_model(DEFAULT), tmp_path / "models" / "mine"))


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What ONNX Runtime was given."""
    seen: list[object] = []
    real = onnxruntime.InferenceSession

    def noted(content: object, options: object, providers: list[str]) -> object:
        seen.append(content)
        return real(content, options, providers=providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", noted)
    return seen


def refusal(folder: Path | str) -> str:
    with pytest.raises(ModelError) as refused:
        load_model(str(folder), threads=1)
    said = str(refused.value)
    assert "\n" not in said
    assert len(said) < 1000
    return said


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    card = json.loads((folder / CARD_FILE).read_text())
    change(card)
    (folder / CARD_FILE).write_text(json.dumps(card))


@pytest.mark.parametrize("file", ["dcnn.onnx", "encoder.onnx"])
def test_onnx_runtime_never_sees_a_file_of_another_hash(
    folder: Path, loaded: list[object], file: str
) -> None:
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    assert "is not the file its card describes" in refusal(folder)
    assert loaded == []
    load_model(DEFAULT, threads=1)
    assert len(loaded) == 2  # so it would have been seen


@pytest.mark.parametrize("name", ["../secret", "/secret", "a/../../secret", "..", "."])
def test_a_card_cannot_name_files_outside_of_its_folder(
    folder: Path, loaded: list[object], name: str
) -> None:
    content = (folder / "dcnn.onnx").read_bytes()
    (folder.parent / "secret.onnx").write_bytes(content)
    rewrite(folder, lambda card: card["dcnn"].update(file=f"{name}.onnx"))
    assert "dcnn.file: String should match pattern" in refusal(folder)
    assert loaded == []


def test_a_link_leads_to_nothing_but_what_the_card_describes(
    folder: Path, tmp_path: Path, loaded: list[object]
) -> None:
    (tmp_path / "secret").write_bytes(b"a secret")
    (folder / "dcnn.onnx").unlink()
    (folder / "dcnn.onnx").symlink_to(tmp_path / "secret")
    assert "is not the file its card describes" in refusal(folder)
    assert loaded == []


@pytest.mark.parametrize("file", [CARD_FILE, "dcnn.onnx"])
@pytest.mark.parametrize("what", ["pipe", "device", "hole"])
def test_what_is_no_file_is_not_read(folder: Path, file: str, what: str) -> None:
    (folder / file).unlink()
    match what:
        case "pipe":
            os.mkfifo(folder / file)
        case "device":
            (folder / file).symlink_to("/dev/zero")
        case "hole":
            with (folder / file).open("wb") as empty:
                empty.truncate(2**40)
    before = resident_bytes()
    assert "is not a file" in (said := refusal(folder)) or "is larger than" in said
    with pytest.raises(ModelError):
        verify_model(folder)
    assert resident_bytes() - before < 32 * MIB


@pytest.mark.parametrize(
    "text",
    [
        b"[" * MAX_CARD_BYTES,
        b'{"a":' * (MAX_CARD_BYTES // 5),
        b'{"format": ' + b"9" * 100_000 + b"}",
        b'{"notes": [' + b'"",' * 300_000 + b'""]}',
        b'{"' + b"n" * 500_000 + b'": 1}',
    ],
    ids=["deep", "deep maps", "long number", "many notes", "long name"],
)
def test_a_large_card_is_refused_in_one_short_line(folder: Path, text: bytes) -> None:
    (folder / CARD_FILE).write_bytes(text)
    before = resident_bytes()
    refusal(folder)
    assert resident_bytes() - before < 128 * MIB


def mutated(card: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The card with one value, wherever it lies, of another kind."""
    owner: Any = card
    while True:
        inside = owner.values() if isinstance(owner, dict) else owner
        deeper = [each for each in inside if isinstance(each, dict | list) and each]
        if not deeper or rng.random() < 0.4:
            break
        owner = rng.choice(deeper)
    place = rng.choice(list(owner) if isinstance(owner, dict) else range(len(owner)))
    plain = [value for value in HOSTILE if is_json(value)]
    owner[place] = rng.choice(plain)
    return card


def is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def test_mutated_cards_are_cards_or_the_one_error(
    pytestconfig: pytest.Config, report: Report
) -> None:
    text = (find_model(DEFAULT) / CARD_FILE).read_bytes()
    count, refused = wanted(pytestconfig, 1_000, 50_000), 0
    before = resident_bytes()
    for seed in range(count):
        rng = random.Random(seed)
        if seed % 2:
            spoilt = json.dumps(mutated(json.loads(text), rng)).encode()
        else:
            data = bytearray(text)
            for _ in range(rng.choice([1, 4, 50])):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            spoilt = bytes(data)
        said = ""
        try:
            parse_card(spoilt, "card.json")
        except ModelError as error:
            said = str(error)
            refused += 1
        assert len(said) < 500
        assert "\n" not in said
    grown = resident_bytes() - before
    report(count=count, refused=refused,
        grown_mib=round(grown / MIB, 1),
    )  # fmt: skip
    assert refused > count / 10
    assert grown < 32 * MIB


@pytest.mark.parametrize(
    "where", ["../secret", "{folder}/secret", "beside", "/dev/zero"]
)
def test_a_network_does_not_bring_numbers_from_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for file in (tmp_path / "secret", model / "beside"):
        file.write_bytes(struct.pack("<4f", 1, 2, 3, 4))
    monkeypatch.chdir(model)
    location = where.replace("{folder}", str(tmp_path))
    content = network([node("Add", "x w", "y")], [elsewhere("w", location)])
    with pytest.raises(ModelError, match=r"is not a network: .*xternal data path"):
        open_session(content, model / "dcnn.onnx", threads=1)


def test_a_network_that_would_grow_when_it_is_loaded_is_not_worked_out_then() -> None:
    steps = ["ConstantOfShape n z", "ReduceSum z r", "Add x r y"]
    nodes = [
        node(kind, " ".join(takes), gives)
        for kind, *takes, gives in (step.split() for step in steps)
    ]
    bomb = network(nodes, [whole_number("n", 2**34)])
    before = resident_bytes()
    open_session(bomb, Path("bomb.onnx"), threads=1)
    assert resident_bytes() - before < 64 * MIB


def test_a_network_that_is_another_one_than_its_hash_says_no_more_is_refused(
    folder: Path,
) -> None:
    content = network([node("Neg", "x", "y")], [])
    (folder / "dcnn.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    rewrite(folder, lambda card: card["dcnn"].update(sha256=digest))
    assert refusal(folder).startswith(
        "dcnn.onnx takes ('x',) and gives ('y',); expected"
    )


@pytest.mark.parametrize(
    "name", ["../mine", "..", "/etc", "graphene-si/../../..", "a\0b", "~", "x" * 5000]
)
def test_names_lead_to_shipped_models_or_to_folders_with_a_card(name: str) -> None:
    with pytest.raises(AtomstreamError) as refused:
        load_model(name)
    assert "\n" not in str(refused.value)
