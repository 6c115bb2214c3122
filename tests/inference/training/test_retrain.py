"""Networks of a session's own, all that its report compares."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnx
from onnx import TensorProto, helper, numpy_helper

from inference.catalogue import DEFAULT, verify_model
from inference.paper_methods.card import read_methods_card
from inference.paper_methods.method import paper_rvae, trained_methods
from inference.training.baselines import BaselineRecipe, untrained
from inference.training.bench import Bench, Stage
from inference.training.fitting import Stopped
from inference.training.methods.served import drawn_share, round_weights
from inference.training.retrain import Retraining, expected_seconds, retrain
from inference.training.session_set import SessionSource

type Record = Callable[..., Path]


@pytest.mark.timeout(600)  # on a busy machine torch's exporter takes minutes
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_session_gets_models_and_a_stopped_training_goes_on(
    tmp_path: Path, record: Record, stage: Stage
) -> None:
    source = SessionSource(record(tmp_path / "session"), 1.0)
    out = tmp_path / "models"
    wanted = Retraining(source, DEFAULT, out, ("small",), threads=1, scale=0.001)
    whole_s = expected_seconds(wanted)
    assert whole_s > 0

    def bench(folder: Path) -> Bench:
        return Bench(folder, stage, threads=1, scale=0.001)

    def stopping(folder: Path) -> Bench:
        if folder.name == "paper-methods":
            raise Stopped
        return bench(folder)

    with pytest.raises(Stopped):
        retrain(wanted, stopping)
    made = {name: (out / name / "card.json").read_bytes() for name in NAMES}
    assert expected_seconds(wanted) < whole_s
    retrain(wanted, bench)
    # What was finished before is as it was.
    assert made == {name: (out / name / "card.json").read_bytes() for name in NAMES}
    for name in NAMES:
        assert verify_model(out / name).trial
    card = read_methods_card(out / "paper-methods")
    assert card.trained_on == "session"
    assert {(one.method, one.window) for one in card.methods} == {
        ("convolutional AE", "small"), ("plain VAE", "small"),
    }  # fmt: skip
    names = [one.name for one in trained_methods(out / "paper-methods", "small")]
    assert names == ["convolutional AE", "plain VAE"]
    assert paper_rvae(str(out / "paper-small"), "it").learnt_from == "it"
    assert expected_seconds(wanted) == 0


NAMES = ("default", "paper-small")


def test_weights_are_rounded_to_a_part_in_two_hundred_of_their_largest(
    tmp_path: Path,
) -> None:
    values = np.random.default_rng(1).normal(size=(64, 32)).astype(np.float32)
    values[0] *= 1000
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 32])],
        [numpy_helper.from_array(values, "w")],
    )
    opset = [helper.make_opsetid("", 18)]
    path = tmp_path / "network.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    before = path.stat().st_size
    round_weights(path)
    assert path.stat().st_size < before / 2
    session = pytest.importorskip("onnxruntime").InferenceSession(path)
    back = session.run(None, {"x": np.eye(64, dtype=np.float32)})[0]
    largest = np.abs(values).max(axis=1, keepdims=True)
    assert np.all(np.abs(back - values) <= largest / 200)
    assert not np.array_equal(back, values)


def test_what_an_untrained_network_draws_is_none_of_what_varies() -> None:
    windows = np.random.default_rng(1).random((40, 32, 32), np.float32)
    for network in untrained(32, BaselineRecipe()).values():
        assert drawn_share(network, windows) < 0.1
