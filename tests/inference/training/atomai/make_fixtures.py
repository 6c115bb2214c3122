# /// script
# requires-python = ">=3.12"
# dependencies = ["atomai==0.8.1", "six"]
# ///
"""Small networks that AtomAI itself builds and saves, and what it says with them.

`uv run tests/inference/training/atomai/make_fixtures.py` writes the folder `saved`
beside this file. Weights are random, statistics of batch normalisation too; what
matters is that every number of AtomAI's answer depends on them. AtomAI asks for `six`
without saying so.
"""

import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

warnings.filterwarnings("ignore")
import atomai
from atomai.utils import transform_coordinates

SAVED = Path(__file__).parent / "saved"
UNETS = {
    "unet": (3, {"nb_filters": 2}),
    "unet-one-class": (1, {"nb_filters": 2, "batch_norm": False, "layers": [1, 1, 1, 2],
                           "upsampling": "nearest"}),
    "unet-dilated": (2, {"nb_filters": 2, "with_dilation": True, "dropout": True,
                         "layers": [2, 1, 1, 3]}),
    "unet-dilated-once": (1, {"nb_filters": 1, "with_dilation": True, "dropout": True,
                              "batch_norm": False, "layers": [1, 1, 1, 1]}),
}  # fmt: skip
SMALL = {"numhidden_encoder": 8, "numhidden_decoder": 8}
VAES = {
    "rvae": ("rVAE", {}),
    "rvae-skip": ("rVAE", {"translation": False, "skip": True, "softplus_out": True,
                           "sigmoid_out": True, "latent_dim": 3,
                           "numlayers_encoder": 1, "numlayers_decoder": 3}),
    "vae": ("VAE", {"numlayers_decoder": 1}),
}  # fmt: skip
TURN_RAD = 0.4


def stir(network: nn.Module, seed: int) -> None:
    """Random statistics of batch normalisation, and weights that matter more."""
    generator = torch.Generator().manual_seed(seed)
    for name, values in network.state_dict().items():
        noise = torch.rand(values.shape, generator=generator)
        if name.endswith("running_var"):
            values.copy_(0.5 + noise)
        elif name.endswith("running_mean"):
            values.copy_(noise - 0.5)
        elif values.is_floating_point():
            values.mul_(1.5).add_(0.1 * (noise - 0.5))


def make_unet(name: str, classes: int, options: dict[str, object]) -> None:
    """A Unet saved in each way, and what `predict` gives for one image."""
    model = atomai.models.Segmentor("Unet", classes, seed=1, **options)
    image = np.random.default_rng(1).normal(7, 3, (64, 96)).astype(np.float32)
    if name == "unet-one-class":  # so that the file has a real optimizer in it
        labels = np.random.default_rng(2).integers(0, 2, (8, 1, 64, 96)).astype("f4")
        images = np.repeat(image[None, None], 8, axis=0)
        model.fit(images, labels, images, labels, training_cycles=2, batch_size=4,
                  plot_training_history=False)  # fmt: skip
    stir(model.net, 3)
    model.net.eval()
    model.save_model(str(SAVED / name))
    if name == "unet":
        weights = model.net.state_dict()
        torch.save(weights, SAVED / "unet-weights.pt")
        torch.save(weights, SAVED / "unet-legacy.pt",
                   _use_new_zipfile_serialization=False)  # fmt: skip
    probability, _ = model.predict(image)
    np.savez_compressed(SAVED / f"{name}.npz", image=image, probability=probability[0])


def make_vae(name: str, kind: str, options: dict[str, object]) -> None:
    """A VAE or rVAE saved in each way, and what `encode` and `decode` give."""
    model = getattr(atomai.models, kind)((24, 24), **(SMALL | options))
    stir(model.encoder_net, 4)
    stir(model.decoder_net, 5)
    model.encoder_net.eval()
    model.decoder_net.eval()
    model.save_model(str(SAVED / name))
    if name == "rvae":
        model.save_weights(str(SAVED / "rvae-weights"))
    random = np.random.default_rng(6)
    windows = random.random((16, 24, 24)).astype(np.float32)
    mean, log_sd = model.encode(windows)
    content = random.normal(size=(4, model.metadict["latent_dim"])).astype(np.float32)
    answers = {"mean": mean, "log_sd": log_sd, "content": content}
    answers["decoded"] = model.decode(content)
    if kind == "rVAE":
        angle = torch.full((4,), TURN_RAD)
        grid = transform_coordinates(model.x_coord.expand(4, -1, -1), angle)
        with torch.no_grad():
            turned = model.decoder_net(grid, torch.from_numpy(content))
        sigmoid = model.sigmoid_out
        answers["turned"] = (torch.sigmoid(turned) if sigmoid else turned).numpy()
    np.savez_compressed(SAVED / f"{name}.npz", windows=windows, **answers)


def make_others() -> None:
    """What must be refused by name."""
    other = atomai.models.Segmentor("dilnet", 1, nb_filters=1, layers=[1, 1, 1, 1])
    other.save_model(str(SAVED / "dilnet"))
    other = atomai.models.rVAE((8, 8), conv_encoder=True, **SMALL)
    other.save_model(str(SAVED / "rvae-convolutional"))


def main() -> None:
    """Make everything; AtomAI leaves files where it runs."""
    SAVED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as elsewhere:
        os.chdir(elsewhere)
        for name, (classes, options) in UNETS.items():
            make_unet(name, classes, options)
        for name, (kind, options) in VAES.items():
            make_vae(name, kind, options)
        make_others()


if __name__ == "__main__":
    main()
