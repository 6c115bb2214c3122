import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.card import CARD_FILE, Card, parse_card, read_card
from streamer.errors import ModelError

VALID: Mapping[str, Any] = {
    "format": 1,
    "name": "graphene-si",
    "dcnn": {
        "file": "dcnn.onnx",
        "sha256": "ab" * 32,
        "pixel_size_nm": 0.02,
        "stride_px": 8,
        "reach_px": 96,
        "classes": ["C", "Si", "background"],
        "threshold": 0.35,
        "normalisation": "robust",
        "silicon": {
            "threshold": 0.5,
            "seen": [-1.0, 0.8],
            "measured": [-2.0, 0.7, 3.0],
        },
        "provenance": {},
        "limits": ["Only graphene."],
    },
    "encoder": {
        "file": "encoder.onnx",
        "sha256": "cd" * 32,
        "pixel_size_nm": 0.04,
        "latents": ["crystallinity", "z1"],
        "angle_period_rad": 2 * math.pi / 3,
        "decoder": {
            "file": "decoder.onnx",
            "sha256": "ef" * 32,
            "latents": ["z1"],
            "side_px": 24,
            "pixel_size_nm": 0.04,
            "ranges": [[-1.5, 2.0]],
        },
        "kind": "harmonics",
        "rings_nm": [0.142, 0.246],
        "ring_sigma_nm": 0.03,
        "max_orders": [3, 6],
        "provenance": {"seed": 1, "versions": {"numpy": "2.3"}},
        "limits": ["No order at edges."],
    },
    "accuracy": {"f1": 0.99, "doses": [1, 0.25], "note": None},
    "notes": ["Made with little."],
}


def changed(path: str, value: object) -> bytes:
    """The valid card with one value replaced, or left out when it is `...`."""
    card = json.loads(json.dumps(VALID))
    *parents, last = path.split(".")
    part = card
    for name in parents:
        part = part[name]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return json.dumps(card).encode()


def test_a_valid_card_says_what_it_says() -> None:
    card = parse_card(json.dumps(VALID).encode(), "card.json")
    assert json.loads(card.model_dump_json()) == VALID
    assert card.encoder.window_nm == pytest.approx(0.492)


def test_a_card_survives_being_written() -> None:
    card = parse_card(json.dumps(VALID).encode(), "card.json")
    assert parse_card(card.model_dump_json().encode(), "card.json") == card


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("format", 2, "format: Input should be 1"),
        ("name", "a b", "name: String should match pattern"),
        ("name", "", "name: String should match pattern"),
        ("name", ..., "name: Field required"),
        ("colour", "red", "colour: Extra inputs are not permitted"),
        ("dcnn", ..., "dcnn: Field required"),
        ("dcnn", [], "dcnn: Input should be an object"),
        ("dcnn.file", "../dcnn.onnx", "dcnn.file: String should match pattern"),
        ("dcnn.file", "/etc/dcnn.onnx", "dcnn.file: String should match pattern"),
        ("dcnn.file", "a/b.onnx", "dcnn.file: String should match pattern"),
        ("dcnn.file", "a\\b.onnx", "dcnn.file: String should match pattern"),
        ("dcnn.file", "dcnn.onnx\n", "dcnn.file: String should match pattern"),
        ("dcnn.file", "dcnn.onnx\0", "dcnn.file: String should match pattern"),
        ("dcnn.file", ".onnx", "dcnn.file: String should match pattern"),
        ("dcnn.file", "dcnn.pkl", "dcnn.file: String should match pattern"),
        ("dcnn.sha256", "ab" * 31, "dcnn.sha256: String should match pattern"),
        ("dcnn.sha256", "AB" * 32, "dcnn.sha256: String should match pattern"),
        ("dcnn.pixel_size_nm", 0, "dcnn.pixel_size_nm: Input should be greater"),
        ("dcnn.pixel_size_nm", 20, "dcnn.pixel_size_nm: Input should be less"),
        ("dcnn.pixel_size_nm", math.nan, "dcnn.pixel_size_nm: Input should be"),
        ("dcnn.pixel_size_nm", "wide", "dcnn.pixel_size_nm: Input should be"),
        ("dcnn.stride_px", 0, "dcnn.stride_px: Input should be greater"),
        ("dcnn.stride_px", 3, "dcnn.stride_px: Input should be a multiple of 2"),
        ("dcnn.stride_px", 2.5, "dcnn.stride_px: Input should be a valid integer"),
        ("dcnn.classes", ["Si", "C", "background"], "dcnn.classes.0: Input should"),
        ("dcnn.classes", ["C", "Si"], "dcnn.classes.2: Field required"),
        ("dcnn.threshold", 0, "dcnn.threshold: Input should be greater"),
        ("dcnn.threshold", 1, "dcnn.threshold: Input should be less"),
        ("dcnn.silicon.threshold", 1.5, "dcnn.silicon.threshold: Input should be"),
        ("dcnn.silicon.seen", [1], "dcnn.silicon.seen.1: Field required"),
        ("dcnn.silicon.measured", [1, 2], "dcnn.silicon.measured.2: Field required"),
        ("dcnn.normalisation", "none", "dcnn.normalisation: Input should be 'robust'"),
        ("encoder.file", "..", "encoder.file: String should match pattern"),
        ("encoder.kind", "other", "encoder: Input tag 'other' found using 'kind'"),
        ("encoder.kind", "window", "encoder.side_px: Field required"),
        ("encoder.decoder.side_px", 0, "encoder.decoder.side_px: Input should be"),
        ("encoder.decoder.file", "../d.onnx", "encoder.decoder.file: String should"),
        (
            "encoder.decoder.latents",
            ["z2"],
            "encoder: Value error, the decoder takes latents that the encoder does not",
        ),
        (
            "encoder.latents",
            ["crystallinity", "z1", "z1_sigma"],
            "encoder: Value error, 'z1_sigma' is a column that every model gives",
        ),
        ("encoder.rings_nm", [], "encoder.rings_nm: Tuple should have at least"),
        ("encoder.rings_nm", [0.1, -1], "encoder.rings_nm.1: Input should be"),
        ("encoder.rings_nm", [0.1, 3], "encoder.rings_nm.1: Input should be"),
        (
            "encoder.rings_nm",
            [0.1],
            "encoder: Value error, rings_nm and max_orders differ in length",
        ),
        ("encoder.ring_sigma_nm", 0, "encoder.ring_sigma_nm: Input should be"),
        ("encoder.max_orders", [3, -1], "encoder.max_orders.1: Input should be"),
        ("encoder.max_orders", [3, 1000], "encoder.max_orders.1: Input should be"),
        ("encoder.latents", [], "encoder.latents: Tuple should have at least"),
        ("encoder.latents", ["z1"], "encoder: Value error, no latent is called "
         "'crystallinity'"),
        (
            "encoder.latents",
            ["crystallinity", "z1", "z1"],
            "encoder: Value error, two latents have the same name",
        ),
        (
            "encoder.latents",
            ["crystallinity", "score"],
            "encoder: Value error, 'score' is a column that every model gives",
        ),
        (
            "encoder.latents",
            ["crystallinity", "frame"],
            "encoder: Value error, 'frame' is a column that every model gives",
        ),
        ("encoder.latents", ["crystallinity", ""], "encoder.latents.1: String"),
        ("encoder.latents", ["crystallinity", "a/b"], "encoder.latents.1: String"),
        (
            "encoder.decoder.ranges",
            [[0, 1], [0, 1]],
            "encoder.decoder: Value error, latents and ranges differ in number",
        ),
        ("encoder.angle_period_rad", 7, "encoder.angle_period_rad: Input should be"),
        ("encoder.angle_period_rad", 0, "encoder.angle_period_rad: Input should be"),
        ("encoder.provenance", None, "encoder.provenance: Input should be an object"),
        ("accuracy", {"f1": math.inf}, "accuracy.f1"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_right_is_named(
    path: str, value: object, complaint: str
) -> None:
    with pytest.raises(ModelError) as refused:
        parse_card(changed(path, value), "my/card.json")
    message = str(refused.value)
    assert message.startswith(f"my/card.json: {complaint}")
    assert "\n" not in message
    assert len(message) < 200


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"card"',
        b"\xff\xfe\x00",
        b"\x89PNG\r\n",
        b"[" * 100_000,
        b'{"format": 1e999}',
        b'{"format": ' + b"9" * 10_000 + b"}",
        json.dumps(VALID).encode()[:-20],
        json.dumps(VALID).encode("utf-16"),
    ],
    ids=[
        "empty", "cut", "a list", "null", "a string", "not UTF-8", "an image",
        "deep", "infinite", "long number", "truncated", "UTF-16",
    ],
)  # fmt: skip
def test_what_is_not_a_card_is_refused(text: bytes) -> None:
    with pytest.raises(ModelError, match=r"^my/card\.json: ") as refused:
        parse_card(text, "my/card.json")
    assert len(str(refused.value).splitlines()) == 1


def complaint_about(text: bytes) -> str | None:
    """What is wrong with a card, None when it is one."""
    try:
        assert isinstance(parse_card(text, "card.json"), Card)
    except ModelError as error:
        return str(error)
    return None


LEAVES = [
    *((part, name) for part in ("dcnn", "encoder") for name in VALID[part]),
    *((name,) for name in VALID),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(where=st.sampled_from(LEAVES), value=JSON)
def test_any_value_anywhere_gives_a_card_or_a_model_error(
    where: tuple[str, ...], value: object
) -> None:
    complaint = complaint_about(changed(".".join(where), value))
    assert complaint is None or complaint.startswith("card.json: ")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_damage_to_the_text_gives_a_card_or_a_model_error(
    data: st.DataObject,
) -> None:
    text = bytearray(json.dumps(VALID).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    complaint = complaint_about(bytes(text))
    assert complaint is None or complaint.startswith("card.json: ")


def test_the_card_is_read_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / CARD_FILE).write_text(json.dumps(VALID))
    assert read_card(tmp_path).name == "graphene-si"


def test_a_folder_without_a_card_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as refused:
        read_card(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} is not a model: card.json cannot be read "
        "(No such file or directory)"
    )


def test_a_folder_in_the_cards_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / CARD_FILE).mkdir()
    with pytest.raises(ModelError, match=r"card\.json cannot be read"):
        read_card(tmp_path)


def test_limits_are_those_of_the_model_and_of_each_network() -> None:
    card = parse_card(json.dumps(VALID).encode(), "card.json")
    assert card.limits == ("Made with little.", "Only graphene.", "No order at edges.")
