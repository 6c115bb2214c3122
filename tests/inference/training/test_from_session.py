"""An encoder that learns from a recorded session, of which no truth is known."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnx
import onnxruntime
from onnx import TensorProto, helper

from inference.card import HarmonicsEncoderCard
from inference.catalogue import DEFAULT
from inference.describe import describer_of
from inference.model import load_model
from inference.training.base_model import BaseModel
from inference.training.bench import Bench, Stage
from inference.training.kinds import DEFAULT_KIND, KINDS
from inference.training.make_from_session import train_encoder_on_session
from inference.training.pin import find_pin, pin_crystallinity
from inference.training.session_set import (
    SessionSource,
    SessionSubImages,
    subimages_of_session,
)
from inference.training.subimage_set import Sight
from inference.training.wish import EncoderWish
from streamer.errors import ModelError, SessionError

type Record = Callable[..., Path]


@pytest.fixture(scope="module")
def sight() -> Sight:
    model = load_model(DEFAULT, threads=1)
    return Sight(model.segment, model.card.dcnn, describer_of(model.card))


def ignored(_done: int, _total: int) -> None:
    pass


def test_a_share_of_each_frame_is_drawn_and_a_quarter_of_it_held_out(
    tmp_path: Path, record: Record, sight: Sight
) -> None:
    session = record(tmp_path / "session", frames=2)
    every = subimages_of_session(SessionSource(session, 1.0), sight, ignored)
    some = subimages_of_session(SessionSource(session, 0.25), sight, ignored)
    again = subimages_of_session(SessionSource(session, 0.25), sight, ignored)
    other = subimages_of_session(SessionSource(session, 0.25, 2), sight, ignored)
    assert len(some["rows"]) == pytest.approx(len(every["rows"]) / 4, abs=1)
    assert some["held_out"].mean() == pytest.approx(0.25, abs=0.03)
    assert np.unique(some["frame"]).tolist() == [0, 1]
    assert np.array_equal(some["rows"], again["rows"])
    assert not np.array_equal(some["rows"], other["rows"])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda record, path: record(path, frames=0), "too few atoms .* 0 frames"),
        (lambda record, path: record(path, atoms=False), "too few atoms .* 2 frames"),
        (lambda _, path: path.mkdir(), "session"),
    ],
    ids=["no frames", "no atoms", "no session"],
)
def test_a_session_without_anything_to_learn_from_is_refused(
    tmp_path: Path,
    record: Record,
    sight: Sight,
    make: Callable[..., object],
    says: str,
) -> None:
    make(record, tmp_path / "session")
    with pytest.raises(SessionError, match=says) as refused:
        subimages_of_session(SessionSource(tmp_path / "session"), sight, ignored)
    assert "\n" not in str(refused.value)


def data_of(order: np.ndarray, rows: np.ndarray) -> SessionSubImages:
    count = len(order)
    unknown, frame = np.full(count, np.nan, np.float32), np.zeros(count, np.intp)
    return SessionSubImages(rows, unknown, order, frame, np.arange(count) % 4 == 0)


def test_crystallinity_is_the_latent_that_follows_order_and_grows_with_it() -> None:
    rng = np.random.default_rng(1)
    order = rng.random(400).astype(np.float32)
    noise = rng.normal(size=400).astype(np.float32)
    data = data_of(order, noise[:, None])
    pin = find_pin({"z1": noise, "z2": 3 - 2 * order}, data)
    assert pin.latent == "z2"
    assert (pin.slope, pin.offset) == pytest.approx((-0.5, 1.5), abs=1e-5)
    assert pin.follows == pytest.approx(1.0)
    assert find_pin({"z1": 0 * noise}, data).follows == 0


def test_the_encoders_file_gives_the_pinned_latent_and_its_deviation(
    tmp_path: Path,
) -> None:
    """An encoder whose latents are its input, and whose deviations are that, too."""
    names = ["harmonics", "angle", "latents", "sigma"]
    widths = [4, None, 3, 4]
    values = [
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["n", *([width] if width else [])]
        )
        for name, width in zip(names, widths, strict=True)
    ]
    pick = helper.make_tensor("pick", TensorProto.INT64, [3], [1, 2, 3])
    first = helper.make_tensor("first", TensorProto.INT64, [], [0])
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["harmonics", "first"], ["angle"], axis=1),
            helper.make_node("Gather", ["harmonics", "pick"], ["latents"], axis=1),
            helper.make_node("Identity", ["harmonics"], ["sigma"]),
        ],
        "encoder", values[:1], values[1:], [pick, first],
    )  # fmt: skip
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    onnx.save(model, tmp_path / "encoder.onnx")
    card = load_model(DEFAULT).card.encoder
    assert isinstance(card, HarmonicsEncoderCard)
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(40, 4)).astype(np.float32)
    order = 1 - 2 * rows[:, 3]
    pinned, pin = pin_crystallinity(tmp_path, card, ("z1", "z2"), data_of(order, rows))
    assert pin.latent == "z2"
    session = onnxruntime.InferenceSession(tmp_path / pinned.file)
    angle, latents, sigma = session.run(None, {"harmonics": rows})
    assert np.array_equal(angle, rows[:, 0])
    assert latents[:, 0] == pytest.approx(order, abs=1e-5)
    assert np.allclose(latents[:, 1:], rows[:, 2:])
    assert sigma[:, 1] == pytest.approx(2 * rows[:, 3], abs=1e-5)
    assert np.allclose(sigma[:, [0, 2, 3]], rows[:, [0, 2, 3]])


@pytest.mark.timeout(300)  # on a busy machine torch's exporter takes minutes
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("kind", [DEFAULT_KIND, "paper"])
def test_a_session_gives_a_model_that_says_what_its_crystallinity_is(
    tmp_path: Path, record: Record, stage: Stage, kind: str
) -> None:
    session = record(tmp_path / "session")
    recipe = replace(KINDS[kind].recipe, steps=20, batch=32)
    wish, folder = EncoderWish(kind, recipe), tmp_path / "mine"
    base = BaseModel.load(DEFAULT, folder, threads=1)
    bench = Bench(folder, stage, threads=1)
    train_encoder_on_session(wish, SessionSource(session), base, bench)
    card = load_model(str(folder)).card
    assert card.name == "mine"
    assert card.dcnn.sha256 == base.model.card.dcnn.sha256
    assert re.search("crystallinity is (z|that of its content)", card.limits[-1])
    told = card.encoder.provenance["crystallinity"]
    assert isinstance(told, dict)
    assert -1 <= told["held_out_rho"] <= 1
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json", *sorted(card.files),
    ]  # fmt: skip
    with pytest.raises(ModelError, match="is the model to start from"):
        BaseModel.load(str(folder), folder, threads=1)
