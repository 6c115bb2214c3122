"""The commands with a Dask cluster: what they give without, bit for bit."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atomstream.engines import EngineChoice, EngineKind, files_of
from atomstream.ports import free_address
from inference.catalogue import DEFAULT
from streamer.errors import SettingsError
from streamer.session.creation import create_session
from streamer.session.reader import SessionReader

distributed = pytest.importorskip("distributed", reason="needs the extra [cluster]")

type Run = Callable[..., Any]
type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def cluster() -> Iterator["distributed.LocalCluster"]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        scheduler_kwargs={"dashboard": False},
    ) as running:
        yield running


def atoms_files(session: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (session / "atoms").iterdir()}


def at_work(cluster: "distributed.LocalCluster") -> bool:
    """Whether a worker has a frame."""
    return any(
        task.state == "processing" and "analyse" in str(key)
        for key, task in dict(cluster.scheduler.tasks).items()
    )


def test_analyze_and_serve_give_the_same_with_a_cluster_even_when_workers_are_killed(
    tmp_path: Path,
    run: Run,
    spawn: Spawn,
    cluster: "distributed.LocalCluster",
    wait_for: Wait,
) -> None:
    movie = tmp_path / "movie.tif"
    size = ("--frames", "6", "--size", "128", "--field-of-view", "2")
    assert run("simulate", movie, *size).code == 0
    dask = ("--engine", "dask", "--scheduler", cluster.scheduler_address)
    here, there, live = (tmp_path / name for name in ("here", "there", "live"))
    same = ("--threads", "1")
    assert run("analyze", movie, "--record", here, *same).code == 0
    assert run("analyze", movie, "--record", there, *same, *dask).code == 0
    assert len(atoms_files(here)) == 6
    assert atoms_files(there) == atoms_files(here)

    source = free_address()
    spawn("replay", movie, "--bind", source, "--period", "0")
    serve = spawn(
        "serve", "--connect", source, "--record", live,
        "--publish", free_address(), "--until-end", *same, *dask,
    )  # fmt: skip
    wait_for(
        lambda: live.exists() and len(atoms_files(live)) > 0 and at_work(cluster), 100
    )
    for nanny in list(cluster.workers.values()):
        os.kill(nanny.process.process.pid, signal.SIGKILL)
    assert serve.wait(120) == 0
    assert atoms_files(live) == atoms_files(here)
    with SessionReader(live) as reader:
        assert reader.gaps() == []
        first, *others = [e for e in reader.events() if e.kind == "first frame"]
    assert "frame 0 of" in first.text
    assert not others


def test_workers_that_cannot_analyse_do_not_keep_frames_from_being_received(
    spawn: Spawn,
    tmp_path: Path,
    movie: Path,
    cluster: "distributed.LocalCluster",
    wait_for: Wait,
) -> None:
    source, session = free_address(), tmp_path / "session"
    create_session(session)
    spawn("replay", movie, "--bind", source, "--period", "0")
    serve = spawn(
        "serve", "--connect", source, "--record", session,
        "--publish", free_address(), "--device", "cuda",
        "--engine", "dask", "--scheduler", cluster.scheduler_address,
    )  # fmt: skip
    with SessionReader(session) as reader:
        wait_for(
            lambda: any(
                event.text.startswith("nothing is analysed until this is mended: a wor")
                for event in reader.events()
            ),
            100,
        )
        wait_for(lambda: reader.totals().frames == 3, 100)
    assert serve.poll() is None


def test_an_engine_of_a_cluster_without_a_scheduler_is_not_taken_for_a_local_one() -> (
    None
):
    choice = EngineChoice(EngineKind.DASK)
    with pytest.raises(SettingsError, match="needs --scheduler"):
        choice.reach()
    with pytest.raises(SettingsError, match="needs --scheduler"):
        choice.open(files_of(DEFAULT), None, estimate_pixel_size=False, tell=str)


def test_a_cluster_sees_nothing_of_a_frame_twice_when_analyze_goes_on(
    tmp_path: Path, run: Run, movie: Path, cluster: "distributed.LocalCluster"
) -> None:
    session = tmp_path / "session"
    dask = ("--engine", "dask", "--scheduler", cluster.scheduler_address)
    command = ("analyze", movie, "--record", session, *dask)
    assert run(*command).code == 0
    before = atoms_files(session)
    outcome = run(*command)
    assert outcome.code == 0
    assert outcome.out.startswith("nothing to do: 3 frames")
    assert atoms_files(session) == before
