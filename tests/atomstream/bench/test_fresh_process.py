"""What is said of a fresh process is its own."""

import sys
import time
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


def test_time_to_the_first_line_is_neither_that_of_the_last_nor_nothing() -> None:
    program = """
import time
start = time.process_time()
while time.process_time() < start + 0.3: pass
print("first", flush=True)
time.sleep(2)
print("last")
"""
    start = time.perf_counter()
    taken = run_fresh(python(program), threads=1)
    whole_s = time.perf_counter() - start
    assert taken.stdout == "first\nlast\n"
    assert 0.3 <= taken.first_line_s < whole_s - 1
    # Who sleeps uses no processor.
    assert 0.3 <= taken.cpu_s < 1.5


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
