"""Work for the peer's own Python, which tells how far it has come."""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomstream.bench.fresh_process import environment, last_line, run_fresh
from atomstream.bench.peer.environment import Environment
from atomstream.progress import Report
from streamer.errors import SettingsError

PROGRAM = Path(__file__).with_name("by_atomai.py")

type Job = Mapping[str, object]
"""As `by_atomai` wants it, but for threads and where the result goes."""


@dataclass(frozen=True, slots=True)
class Worker:
    """The peer's Python, working in a folder of its own: AtomAI leaves files about."""

    environment: Environment
    threads: int
    folder: Path

    def do(self, job: Job, report: Report) -> Any:  # noqa: ANN401 # JSON
        """The result of a job.

        Raises
        ------
        SettingsError
            It failed.
        """
        result = self.folder / "result.json"
        with (
            tempfile.TemporaryFile("w+") as stderr,
            subprocess.Popen(
                self._command(job, result),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=environment(self.threads),
                cwd=self.folder,
            ) as process,
        ):
            for line in process.stdout or ():
                done, total = map(int, line.split())
                report(done, total)
            if process.wait() != 0:
                stderr.seek(0)
                raise SettingsError(f"AtomAI failed: {last_line(stderr.read())}")
        return json.loads(result.read_text(encoding="utf-8"))

    def peak_mb(self, job: Job) -> float:
        """Memory that a fresh process takes at most to do a job, 10⁶ bytes.

        Raises
        ------
        SettingsError
            It failed.
        """
        command = self._command(job, self.folder / "unread.json")
        return run_fresh(command, self.threads, self.folder).peak_mb

    def _command(self, job: Job, result: Path) -> list[str]:
        whole = {**job, "threads": self.threads, "out": str(result)}
        # Without -P the program would find our modules beside it, and one is `atomai`.
        python = [str(self.environment.python), "-P"]
        return [*python, str(PROGRAM), json.dumps(whole)]
