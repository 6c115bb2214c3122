"""AtomAI at work: a program of its own, run in an environment that has AtomAI.

Knows nothing of atomstream. Takes one argument, a job as JSON:

    {"task": "train", "patches": NPZ, "weights": PT, "steps": N, "batch": N,
     "threads": N, "out": JSON}
    {"task": "measure", "weights": PT, "threads": N, "out": JSON,
     "frames": [{"file": NPY, "repeats": N, "refine": BOOL}, …]}

Writes its result to `out`, and "DONE OF" to stdout as often as something is done.
"""

import contextlib
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import atomai
    from atomai.models import Segmentor
    from atomai.predictors import SegPredictor

CLASSES = 3
"""C, Si and, last, background."""

type Job = dict[str, Any]


def main() -> None:
    """Do the job."""
    job: Job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    tasks = {"train": train, "measure": measure}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = tasks[job["task"]](job)
    Path(job["out"]).write_text(json.dumps(result), encoding="utf-8")


def tell(done: int, total: int) -> None:
    """Say how far it has come."""
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


def train(job: Job) -> Job:
    """A Unet of AtomAI's default size, by AtomAI's own training steps."""
    patches = np.load(job["patches"])
    segmentor = Segmentor("Unet", nb_classes=CLASSES)
    with contextlib.redirect_stdout(sys.stderr):
        segmentor.compile_trainer(
            (patches["images"], patches["labels"], None, None),
            "ce",
            training_cycles=job["steps"],
            batch_size=job["batch"],
        )
    for step in range(job["steps"]):
        with contextlib.redirect_stdout(sys.stderr):
            segmentor.step(step)
        tell(step + 1, job["steps"])
    torch.save(segmentor.net.state_dict(), job["weights"])
    losses = segmentor.loss_acc["train_loss"]
    return {"first_loss": float(losses[0]), "last_loss": float(losses[-1])}


def measure(job: Job) -> Job:
    """Each frame through `SegPredictor.run`, plain and, where asked, refined."""
    net = Segmentor("Unet", nb_classes=CLASSES).net
    net.load_state_dict(torch.load(job["weights"], weights_only=True))
    net.eval()
    total = sum(frame["repeats"] + frame["refine"] for frame in job["frames"])
    tell(0, total)
    done = 0
    frames = []
    for frame in job["frames"]:
        image = np.load(frame["file"])
        plain = []
        for _ in range(frame["repeats"]):
            plain.append(run_once(net, image, refine=False))
            done += 1
            tell(done, total)
        refined = None
        if frame["refine"]:
            refined = run_once(net, image, refine=True)
            done += 1
            tell(done, total)
        frames.append({"plain": plain, "refined": refined})
    versions = {
        "atomai": atomai.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    parameters = sum(weights.numel() for weights in net.parameters())
    return {"versions": versions, "parameters": parameters, "frames": frames}


def run_once(net: Any, image: Any, *, refine: bool) -> Job:  # noqa: ANN401 # torch's
    """Probabilities and coordinates of one frame: time and number of atoms."""
    # Made anew for each frame: it asks the network for its classes and its stride,
    # which is not counted, and leaves hooks on it that would pile up.
    with contextlib.redirect_stdout(sys.stderr):
        predictor = SegPredictor(net, refine=refine, use_gpu=False, verbose=False)
        for module in net.modules():
            module._forward_hooks.clear()  # noqa: SLF001 # AtomAI never removes them
        wall, cpu = time.perf_counter(), time.process_time()
        _, coordinates = predictor.run(image)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall_s": wall, "cpu_s": cpu, "atoms": len(coordinates[0])}


if __name__ == "__main__":
    main()
