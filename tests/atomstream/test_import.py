"""`atomstream models import`: what it makes, and what it refuses in one line."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow.parquet
import pytest

pytestmark = pytest.mark.timeout(600)  # torch takes its time to export a network

type Run = Callable[..., Outcome]
type Imported = Callable[..., Path]

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the extra [train]"
)


class Outcome(Protocol):
    code: int
    out: str
    err: str


def refused(outcome: Outcome) -> str:
    """The one line that says why."""
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("atomstream: ")
    assert outcome.err.count("\n") == 1
    return outcome.err


FILES = {
    "another network": ("dilnet.tar", "found a model of type 'seg', 'dilnet'"),
    "a convolutional rVAE": ("rvae-convolutional.tar", "convolutional encoder"),
    "text": ("text", "is not a file that torch.save wrote"),
    "nothing": ("empty", "is not a file that torch.save wrote"),
    "cut short": ("cut", "its zip archive is damaged"),
    "a pickle of something": ("pickle", "a pickle, but not one of torch.save"),
    "missing": ("none", "No such file"),
    "a folder": (".", "Is a directory"),
    "encoder first": ("rvae.tar", "give a Unet first", "--encoder", "vae.tar"),
    "two Unets": ("unet.tar", "expected a VAE or rVAE", "--encoder", "unet.tar"),
    "no latent": ("vae.tar", "--crystallinity order: expected", "--crystallinity",
                  "order"),
    "latent z0": ("vae.tar", "--crystallinity z0: expected", "--crystallinity", "z0"),
    "latent --z1": ("vae.tar", "--crystallinity --z1: expected", "--crystallinity",
                    "--z1"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_of_no_use_is_refused_in_one_line(
    tmp_path: Path, run: Run, saved_by_atomai: Path, name: str
) -> None:
    file, says, *options = FILES[name]
    folder = Path(shutil.copytree(saved_by_atomai, tmp_path / "saved"))
    (folder / "text").write_text("weights!\n")
    (folder / "empty").touch()
    (folder / "cut").write_bytes((folder / "unet.tar").read_bytes()[:-4000])
    (folder / "pickle").write_bytes(b"\x80\x02K\x01.")
    chosen = [folder / word if word.endswith(".tar") else word for word in options]
    size = ("--pixel-size", "0.0156")
    out = tmp_path / "mine"
    outcome = run("models", "import", folder / file, "--out", out, *size, *chosen)
    assert says in refused(outcome)
    assert not out.exists()


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, run: Run, saved_by_atomai: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # Python's way of having none
    out = ("--out", tmp_path / "mine", "--pixel-size", "0.0156")
    outcome = run("models", "import", saved_by_atomai / "vae.tar", *out)
    assert refused(outcome).startswith("atomstream: importing needs torch")
    assert outcome.err.endswith("install it with: uv sync --extra train\n")
    assert not (tmp_path / "mine").exists()


MODELS = {
    "no such latent": (("--crystallinity", "-z3"), "vae.tar has z1, z2"),
    "no name": (("--name", "my model"), "name: String should match pattern"),
    "no folder for it": (("--out", "{folder}/none/mine"), "No such file or directory"),
    "there already": (("--out", "{folder}"), "{folder} is there already"),
}


@needs_torch
@pytest.mark.filterwarnings("default")  # torch's exporter warns of its own parts
@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, run: Run, saved_by_atomai: Path, name: str
) -> None:
    options, says = MODELS[name]
    file = saved_by_atomai / "vae.tar"
    wish = ("--out", str(tmp_path / "mine"), "--pixel-size", "0.0156", *options)
    chosen = [word.format(folder=tmp_path) for word in wish]
    assert says.format(folder=tmp_path) in refused(
        run("models", "import", file, *chosen)
    )
    assert list(tmp_path.iterdir()) == []


@needs_torch
@pytest.mark.filterwarnings("default")  # torch's exporter warns of its own parts
def test_a_latent_that_shrinks_with_order_is_named_with_a_minus(
    tmp_path: Path, run: Run, saved_by_atomai: Path
) -> None:
    out, file = tmp_path / "mine", saved_by_atomai / "vae.tar"
    wish = ("--pixel-size", "0.0156", "--crystallinity", "-z1")
    outcome = run("models", "import", file, "--out", out, *wish)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("mine: dcnn.onnx, encoder.onnx, decoder.onnx in ")
    assert "That -z1 is the crystallinity was said" in outcome.out
    card = json.loads(run("models", "show", out, "--json").out)
    assert card["encoder"]["latents"] == ["crystallinity", "z1", "z2"]
    assert card["encoder"]["provenance"]["file"] == "vae.tar"
    assert run("models", "verify", out).out.startswith("mine: whole (")


@needs_torch
@pytest.mark.parametrize("file", ["dcnn.onnx", "encoder.onnx", "decoder.onnx"])
def test_a_file_that_is_not_the_one_on_the_card_is_found(
    tmp_path: Path, run: Run, imported: Imported, file: str
) -> None:
    folder = Path(shutil.copytree(imported("vae.tar"), tmp_path / "mine"))
    content = bytearray((folder / file).read_bytes())
    content[-1] ^= 1
    (folder / file).write_bytes(content)
    says = refused(run("models", "verify", folder))
    assert f"{folder / file} is not the file its card describes" in says


@needs_torch
@pytest.mark.parametrize(
    "files",
    [("unet.tar", "rvae.tar"), ("unet-one-class.tar",), ("rvae-skip.tar",),
     ("vae.tar",)],
)  # fmt: skip
def test_an_imported_model_analyses_a_movie(
    tmp_path: Path, run: Run, movie: Path, imported: Imported, files: tuple[str, ...]
) -> None:
    session, table = tmp_path / "session", tmp_path / "atoms.parquet"
    folder = imported(*files)
    outcome = run("analyze", movie, "--record", session, "--model", folder)
    assert outcome.code == 0
    assert "Traceback" not in outcome.err
    assert run("export", session, table).code == 0
    atoms = pyarrow.parquet.read_table(table)
    assert outcome.out.startswith("3 frames")
    for latent in json.loads((folder / "card.json").read_text())["encoder"]["latents"]:
        assert np.isfinite(atoms[latent].to_numpy()).all()
    if files[0].startswith("unet"):
        return  # its weights are random: what it takes for atoms may all be pruned
    assert set(atoms["frame"].to_pylist()) == {0, 1, 2}
    if files == ("vae.tar",):  # a plain VAE tells no angle
        assert np.isnan(atoms["angle_rad"].to_numpy()).all()
    else:
        assert np.isfinite(atoms["angle_rad"].to_numpy()).any()
