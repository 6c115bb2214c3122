"""When a process that has ended gets a next one."""

import pytest

from atomstream.service.restart import CRASH_WINDOW_S, Restart, ServiceError

CRASHED, REFUSED, NOT_STARTED = -9, 2, None
ENDS = {
    "a bad frame's four lives cost no time": ([CRASHED] * 4, [0, 0, 0, 0]),
    "crashes beyond them do": ([CRASHED] * 7, [0, 0, 0, 0, 1, 2, 4]),
    "a refusal is given time at once": ([REFUSED] * 4, [1, 2, 4, 8]),
    "so is what cannot be started": ([NOT_STARTED] * 3, [1, 2, 4]),
    "never longer than a minute": ([REFUSED] * 9, [1, 2, 4, 8, 16, 32, 60, 60, 60]),
    "all count together": ([CRASHED, REFUSED, CRASHED, REFUSED], [0, 2, 0, 8]),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_has_worked_is_started_again_after_a_pause(name: str) -> None:
    codes, pauses_s = ENDS[name]
    restart = Restart("view")
    restart.worked()
    assert [restart.pause_s(code, 0.0) for code in codes] == pauses_s


def test_each_success_counts_as_a_new_beginning() -> None:
    restart = Restart("view")
    for _ in range(9):
        restart.worked()
        assert restart.pause_s(REFUSED, 0.0) == 1


def test_a_refusal_of_what_never_worked_ends_the_service() -> None:
    with pytest.raises(ServiceError, match="view cannot run"):
        Restart("view").pause_s(REFUSED, 0.0)


@pytest.mark.parametrize("code", [CRASHED, NOT_STARTED])
def test_five_crashes_in_a_minute_of_what_never_worked_end_the_service(
    code: int | None,
) -> None:
    restart = Restart("view")
    for now_s in range(4):
        restart.pause_s(code, now_s)
    with pytest.raises(ServiceError, match="view died 5 times in 60 s"):
        restart.pause_s(code, 4.0)


def test_crashes_that_are_further_apart_do_not() -> None:
    restart = Restart("view")
    for each in range(20):
        restart.pause_s(CRASHED, each * CRASH_WINDOW_S / 4)
