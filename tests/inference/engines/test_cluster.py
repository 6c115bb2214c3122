"""The engine on a real Dask cluster: processes, sockets, SIGKILL."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np
import pytest

distributed = pytest.importorskip("distributed", reason="needs the extra [cluster]")

from inference.engines.cluster.answer import answer_to  # noqa: E402
from inference.engines.cluster.connection import Connection  # noqa: E402
from inference.engines.cluster.engine import DaskEngine  # noqa: E402
from inference.engines.cluster.worker import Order, opened, packed  # noqa: E402
from inference.engines.engine import Job, Setup, analysed  # noqa: E402
from inference.engines.local import LocalEngine  # noqa: E402
from inference.model_files import ModelFiles  # noqa: E402
from streamer.analysis import Analysis, Flag  # noqa: E402
from streamer.errors import (  # noqa: E402
    EngineError,
    LinkError,
    ModelError,
    WireError,
)

type AsBytes = Callable[[Analysis], tuple[object, ...]]
SETUP = Setup(threads=1)
pytestmark = pytest.mark.timeout(300)
LIMIT_S = 100.0
"""For all frames, on a machine that has much else to do."""


@contextmanager
def started(
    allowed_failures: int = 3, **options: object
) -> Iterator["distributed.LocalCluster"]:
    """A cluster; Dask fails to close one whose killed workers are just starting."""
    with distributed.LocalCluster(
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        scheduler_kwargs={"dashboard": False, "allowed_failures": allowed_failures},
        **options,
    ) as running:
        yield running
        until(lambda: all(map(at_work, running.workers.values())))


def at_work(nanny: "distributed.Nanny") -> bool:
    """Whether the worker of a nanny has started and lives."""
    worker = nanny.process
    if worker is None or worker.status is not distributed.Status.running:
        return False
    process = worker.process
    return process is not None and process.is_alive()


@pytest.fixture(scope="module")
def cluster() -> Iterator["distributed.LocalCluster"]:
    with started(n_workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def here(jobs: list[Job], shipped: ModelFiles) -> list[Analysis]:
    """What this process finds in the frames."""
    return list(analysed(LocalEngine(shipped, SETUP), jobs))


@pytest.fixture
def engine(
    cluster: "distributed.LocalCluster", shipped: ModelFiles
) -> Iterator[DaskEngine]:
    until(lambda: len(cluster.scheduler.workers) == 2)  # those of before were killed
    told: list[str] = []
    with closing(
        DaskEngine(cluster.scheduler_address, shipped, SETUP, told.append)
    ) as running:
        yield running


def collected(engine: DaskEngine) -> list[Analysis]:
    """All that is in flight, in the order in which it comes."""
    found: list[Analysis] = []
    deadline = time.monotonic() + LIMIT_S
    while engine.in_flight:
        assert time.monotonic() < deadline
        analysis = engine.collect(0.2)
        if analysis is not None:
            found.append(analysis)
    return found


def processing(cluster: "distributed.LocalCluster") -> str:
    """Names of the tasks that are at a worker."""
    tasks = dict(cluster.scheduler.tasks)
    return " ".join(
        str(key) for key, task in tasks.items() if task.state == "processing"
    )


def until(condition: Callable[[], bool], engine: DaskEngine | None = None) -> None:
    """Wait; an engine that is given goes on meanwhile, and has nothing to give yet."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        if engine is None:
            time.sleep(0.005)
        else:
            assert engine.collect(0.005) is None


def kill(cluster: "distributed.LocalCluster", count: int) -> None:
    """SIGKILL workers; each is started again by its nanny."""
    for nanny in list(cluster.workers.values())[:count]:
        os.kill(nanny.process.process.pid, signal.SIGKILL)


def test_a_cluster_gives_what_this_process_gives_bit_for_bit_and_in_order(
    engine: DaskEngine, jobs: list[Job], here: list[Analysis], as_bytes: AsBytes
) -> None:
    there = list(analysed(engine, jobs))
    assert [as_bytes(one) for one in there] == [as_bytes(one) for one in here]
    assert len(there[0].atoms) > 400
    assert all(one.latency_s > 0 for one in there)


def test_only_so_many_frames_are_under_way_at_once(
    engine: DaskEngine, jobs: list[Job]
) -> None:
    assert engine.room == 4
    under_way = []

    def watched() -> Iterator[Job]:
        for job in jobs:
            under_way.append(engine.in_flight)
            yield job

    assert len(list(analysed(engine, watched()))) == len(jobs)
    assert max(under_way) <= 4


@pytest.mark.parametrize("count", [1, 2], ids=["one of two", "all"])
def test_workers_killed_with_frames_in_flight_lose_and_double_nothing(
    engine: DaskEngine,
    cluster: "distributed.LocalCluster",
    jobs: list[Job],
    here: list[Analysis],
    as_bytes: AsBytes,
    count: int,
) -> None:
    for job in jobs:
        engine.submit(job)
    first = None
    while first is None:
        first = engine.collect(0.2)
    kill(cluster, count)
    there = [first, *collected(engine)]
    assert [as_bytes(one) for one in there] == [as_bytes(one) for one in here]


def test_frames_in_flight_keep_their_model_when_another_takes_over(
    engine: DaskEngine, jobs: list[Job], shipped: ModelFiles, renamed: ModelFiles
) -> None:
    for job in jobs[:4]:
        engine.submit(job)
    engine.use(engine.prepared(renamed))
    for job in jobs[4:]:
        engine.submit(job)
    hashes = [analysis.model.sha256 for analysis in collected(engine)]
    assert hashes == [shipped.sha256] * 4 + [renamed.sha256] * 4


def test_a_frame_too_large_for_dasks_taste_is_sent_without_a_warning(
    engine: DaskEngine, jobs: list[Job]
) -> None:
    frame = jobs[0].frame
    large = replace(frame, image=frame.image.repeat(8, 0).repeat(8, 1), valid_rows=-1)
    assert large.image.nbytes > 10e6
    large = replace(large, pixel_size_nm=None)  # so that it takes no time
    engine.submit(replace(jobs[0], frame=large))
    assert [analysis.shape for analysis in collected(engine)] == [large.shape]


def test_a_model_that_no_worker_can_use_is_told_in_one_line(
    cluster: "distributed.LocalCluster", shipped: ModelFiles, jobs: list[Job]
) -> None:
    setup = replace(SETUP, threads=-(2**40))  # refused by ONNX Runtime, where it runs
    told: list[str] = []
    with closing(
        DaskEngine(cluster.scheduler_address, shipped, setup, told.append)
    ) as engine:
        engine.submit(jobs[1])
        with pytest.raises(EngineError) as refused:
            collected(engine)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(f"a worker of {cluster.scheduler_address}: ")
    assert sum("is asked for again" in line for line in told) == 2


def long_one(job: Job) -> Job:
    """The same over and over, so that it is not done before its worker is killed."""
    image = np.tile(job.frame.image, (12, 12))
    return replace(job, frame=replace(job.frame, image=image, valid_rows=-1))


def test_a_frame_that_workers_die_of_is_given_up_and_says_so(
    jobs: list[Job], shipped: ModelFiles
) -> None:
    told: list[str] = []
    with (
        started(n_workers=1, allowed_failures=0) as cluster,
        closing(
            DaskEngine(cluster.scheduler_address, shipped, SETUP, told.append)
        ) as engine,
    ):
        engine.submit(long_one(jobs[0]))
        for _ in "one of many there", "alone":
            until(lambda: "analyse" in processing(cluster), engine)
            kill(cluster, 1)
            until(lambda: "analyse" not in processing(cluster))
        (given_up,) = collected(engine)
    assert given_up.flags == (Flag.FAILED, Flag.NO_ATOMS)
    assert given_up.model.sha256 == shipped.sha256
    assert told[-1].startswith("frame 0 of 5f0c is not analysed: ")


@pytest.mark.parametrize("first", [True, False], ids=["its model", "itself"])
def test_a_frame_that_waited_at_a_worker_that_died_is_analysed_all_the_same(
    jobs: list[Job], shipped: ModelFiles, *, first: bool
) -> None:
    told: list[str] = []
    with (
        started(n_workers=1, allowed_failures=0) as cluster,
        closing(
            DaskEngine(cluster.scheduler_address, shipped, SETUP, told.append)
        ) as engine,
        distributed.Client(cluster, set_as_default=False) as other,
    ):
        if not first:  # so that the model is there already
            engine.submit(jobs[1])
            collected(engine)
        until(lambda: not processing(cluster))
        killer = other.submit(time.sleep, LIMIT_S)
        until(lambda: "sleep" in processing(cluster))
        engine.submit(jobs[2])
        engine.submit(jobs[3])
        suspect = "model" if first else "analyse"
        until(lambda: suspect in processing(cluster))
        kill(cluster, 1)
        found = collected(engine)
        assert killer.status == "error"
    assert [analysis.seq for analysis in found] == [2, 3]
    assert all(analysis.flags == () for analysis in found)
    assert not any("is not analysed" in line for line in told)


def test_a_model_that_only_the_workers_cannot_open_is_refused_and_the_old_one_stays(
    cluster: "distributed.LocalCluster", shipped: ModelFiles, renamed: ModelFiles
) -> None:
    setup = replace(SETUP, threads=-(2**40))  # refused by ONNX Runtime, where it runs
    told: list[str] = []
    with closing(
        DaskEngine(cluster.scheduler_address, shipped, setup, told.append)
    ) as engine:
        with pytest.raises(EngineError, match="a worker of "):
            engine.prepared(renamed)
        assert engine.model.sha256 == shipped.sha256


def test_large_frames_are_under_way_two_at_a_time(
    engine: DaskEngine, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = jobs[1].frame
    monkeypatch.setattr(
        "inference.engines.cluster.engine.MOST_BYTES", 6 * frame.image.nbytes
    )
    rooms = [engine.room]
    for job in jobs[1:4]:
        engine.submit(job)
        rooms.append(engine.room)
    assert rooms == [4, 2, 1, 0]  # three fit: each is there as it is, and packed
    engine.submit(jobs[0])  # four times as large
    assert engine.room == 2 - 4
    collected(engine)


def test_a_scheduler_that_goes_away_is_waited_for_and_nothing_is_lost(
    jobs: list[Job], shipped: ModelFiles, here: list[Analysis], as_bytes: AsBytes
) -> None:
    told: list[str] = []
    with started(n_workers=1) as first:
        url = first.scheduler_address
        engine = DaskEngine(url, shipped, SETUP, told.append)
        for job in jobs[:3]:
            engine.submit(job)
    assert engine.collect(1.0) is None
    assert "does not answer" in told[-1]
    engine.submit(jobs[3])
    with closing(engine), started(n_workers=1, scheduler_port=int(url.split(":")[-1])):
        there = collected(engine)
    assert [as_bytes(one) for one in there] == [as_bytes(one) for one in here[:4]]
    assert any("is back after" in line for line in told)


def test_a_scheduler_that_is_not_there_is_told_after_a_bounded_wait() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(LinkError) as refused:
            Connection(url, wait_s=0.5)
    assert str(refused.value).startswith(f"--scheduler {url} cannot be used: ")
    assert "\n" not in str(refused.value)
    assert time.monotonic() - start < 20


@pytest.fixture
def order(jobs: list[Job], shipped: ModelFiles) -> Order:
    job = jobs[1]
    return Order(packed(job.frame), job.history, shipped.sha256, SETUP)


def test_a_worker_takes_no_other_model_than_the_one_of_the_order(
    order: Order, shipped: ModelFiles, renamed: ModelFiles
) -> None:
    assert opened(order, shipped).model.id.sha256 == order.model_sha256
    with pytest.raises(ModelError, match="the files that came are of"):
        opened(order, renamed)
    spoilt = {name: content[:-1] for name, content in shipped.networks.items()}
    with pytest.raises(ModelError, match="is not the file its card describes"):
        opened(order, replace(shipped, networks=spoilt))
    with pytest.raises(ModelError, match="did not come with its card"):
        opened(order, replace(shipped, networks={}))


def test_an_answer_of_another_model_or_frame_is_refused(
    order: Order, jobs: list[Job], here: list[Analysis]
) -> None:
    right = here[1]
    assert answer_to(order, jobs[1], packed(right)).seq == 1
    other = replace(right, model=replace(right.model, sha256="0" * 64))
    with pytest.raises(EngineError, match="answered with model 000000000000"):
        answer_to(order, jobs[1], packed(other))
    with pytest.raises(EngineError, match="answered with frame 2"):
        answer_to(order, jobs[1], packed(here[2]))
    with pytest.raises(WireError, match="a frame, expected an analysis"):
        answer_to(order, jobs[1], packed(jobs[1].frame))
    topic, header, payload = packed(right)
    with pytest.raises(WireError, match="changed on the way"):
        answer_to(order, jobs[1], (topic, header, payload[:-1] + b"\x7f"))
