"""What is said of a fresh process is its own."""

import sys
from pathlib import Path

import numpy as np
import pytest

from atomstream.bench.fresh_process import run_fresh
from streamer.errors import SettingsError

MB = 10**6


def python(program: str) -> tuple[str, ...]:
    return sys.executable, "-I", "-S", "-c", program


def test_memory_of_the_process_that_started_it_is_not_counted() -> None:
    ballast = np.ones(200 * MB, np.uint8)
    assert run_fresh(python("print('small')"), threads=1).peak_mb < 60
    assert ballast.all()


def test_its_own_memory_is_counted() -> None:
    program = f"large = b'x' * {150 * MB}; print(len(large))"
    taken = run_fresh(python(program), threads=1)
    assert taken.stdout == f"{150 * MB}\n"
    assert 150 < taken.peak_mb < 220


def test_time_to_the_first_line_ends_before_the_process_does() -> None:
    program = """
import time
print("first", flush=True)
start = time.process_time()
while time.process_time() < start + 0.5: pass
"""
    taken = run_fresh(python(program), threads=1)
    assert taken.stdout == "first\n"
    assert taken.cpu_s > 0.5
    assert taken.first_line_s > 0


def test_threads_are_limited_and_the_folder_is_the_one_asked_for(
    tmp_path: Path,
) -> None:
    program = "import os; print(os.environ['OMP_NUM_THREADS'], os.getcwd())"
    said = run_fresh(python(program), threads=3, folder=tmp_path).stdout
    assert said == f"3 {tmp_path}\n"


def test_a_process_that_fails_says_why_in_one_line() -> None:
    with pytest.raises(
        SettingsError, match=r"^python.* failed with 1: ValueError: no atoms$"
    ):
        run_fresh(python("raise ValueError('no atoms')"), threads=1)
