"""A real Prometheus watches a real service, of which one thing after another fails."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from atomstream.ports import free_address
from tests.deploy.conftest import tool
from tests.deploy.watching import SILENCE_S, configured, free_port, prometheus

type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_prometheus_sees_faults_come_and_go(
    deploy: Path, tmp_path: Path, spawn: Spawn, wait_for: Wait
) -> None:
    program = tool("prometheus", "Debian's package of that name")
    source, analyses = free_address(), free_address()
    service_port, page_port = free_port(), free_port()
    rules = tmp_path / "alerts.toml"
    rules.write_text(f"no_frame_for_s = {SILENCE_S}\n")
    stack = tmp_path / "noise.npy"
    np.save(stack, np.random.default_rng(1).random((30, 64, 64), np.float32))

    def serve() -> subprocess.Popen[str]:
        return spawn(
            "serve", "--connect", source, "--record", tmp_path / "session",
            "--publish", analyses, "--metrics", str(service_port), "--threads", "1",
            "--no-refine", "--dashboard", f"127.0.0.1:{page_port}", "--alerts", rules,
        )  # fmt: skip

    def replay() -> subprocess.Popen[str]:
        return spawn(
            "replay", stack, "--bind", source, "--period", "0.5", "--loop",
            "--pixel-size", "0.02",
        )  # fmt: skip

    def kill(process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait(30)

    config = configured(deploy, tmp_path, service_port, page_port)
    nobody = {"AtomstreamUnreachable", "AtomstreamPageUnreachable"}
    silence = {"AtomstreamNothingComes", "AtomstreamPageAlerts"}
    with prometheus(program, config, wait_for) as watch:
        firing = watch.firing
        wait_for(lambda: nobody <= firing(), 60)  # nothing runs yet
        service, microscope = serve(), replay()
        wait_for(lambda: not firing(), 120)

        kill(microscope)
        wait_for(lambda: silence <= firing(), 60)
        assert not nobody & firing()
        replay()
        wait_for(lambda: not firing(), 60)

        kill(service)
        wait_for(lambda: nobody <= firing(), 60)
        serve()
        wait_for(lambda: not firing(), 120)
