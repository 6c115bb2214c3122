"""The networks that are shipped: whole, and what they were trained to be."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from inference.catalogue import DEFAULT
from inference.paper_methods.card import read_methods_card
from inference.paper_methods.method import SHIPPED, paper_rvae, trained_methods
from inference.paper_methods.window_size import SIDE_PX, WINDOWS_NM
from streamer.errors import ModelError
from tests.inference.paper_methods.drawing import turned_copies


def test_each_size_has_its_networks_and_each_of_them_draws() -> None:
    images = turned_copies(9)
    for size in WINDOWS_NM:
        methods = {one.name: one for one in trained_methods(SHIPPED, size)}
        assert {"convolutional AE", "plain VAE"} <= set(methods)
        assert ("rVAE (paper's)" in methods) == (size == "large")
        for name, method in methods.items():
            told = method.tell(images)
            assert told.content.shape == (9, 2)
            assert (told.angle_rad is None) == (name != "rVAE (paper's)")
            assert method.draw is not None
            drawn = method.draw(np.array([0.0, 1.0]), np.array([-1.0, 0.0, 1.0]))
            assert drawn.shape == (3, 2, SIDE_PX, SIDE_PX)


def test_the_card_says_how_faithful_they_are() -> None:
    for method in read_methods_card(SHIPPED).methods:
        error = method.provenance["rounding_error"]
        assert isinstance(error, float)
        assert error < 0.05


def test_a_file_that_is_not_the_one_on_the_card_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "networks"
    shutil.copytree(SHIPPED, folder)
    file = folder / "plain-VAE-small-decoder.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="is not the file its card describes"):
        trained_methods(folder, "small")
    (folder / "card.json").write_text("{}")
    with pytest.raises(ModelError, match=r"card\.json"):
        trained_methods(folder, "small")


def test_a_model_whose_encoder_sees_no_windows_is_no_papers_rvae() -> None:
    with pytest.raises(ModelError, match="no encoder of 32-pixel windows"):
        paper_rvae(DEFAULT, "simulation")
