import pytest

from dashboard.access.throttle import (
    FOR_ALL_PER_S,
    FORGET_AFTER_S,
    FREE,
    FREE_FOR_ALL,
    LONGEST_WAIT_S,
    MOST_ADDRESSES,
    Throttle,
)


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(clock)


def wrong_again(throttle: Throttle, clock: Clock, address: str) -> float:
    """Wait as long as is asked for, be wrong, and say for how long to wait now."""
    clock.now_s += throttle.wait_s(address)
    assert throttle.wait_s(address) == 0
    throttle.wrong(address)
    return throttle.wait_s(address)


def test_each_wrong_password_after_the_first_few_costs_twice_the_time(
    throttle: Throttle, clock: Clock
) -> None:
    waits_s = [wrong_again(throttle, clock, "10.0.0.1") for _ in range(12)]
    assert waits_s == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert FREE == 3
    assert waits_s[-1] == LONGEST_WAIT_S


def test_the_right_password_ends_it(throttle: Throttle, clock: Clock) -> None:
    for _ in range(6):
        wrong_again(throttle, clock, "10.0.0.1")
    throttle.right("10.0.0.1")
    assert throttle.wait_s("10.0.0.1") == 0


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("nonsense", "10.0.0.1", False),
    ],
)
def test_who_owns_a_network_is_one_guesser(
    throttle: Throttle, first: str, second: str, one: bool
) -> None:
    for _ in range(FREE):
        throttle.wrong(first)
    assert (throttle.wait_s(second) > 0) == one


def test_many_addresses_together_wait_too(throttle: Throttle, clock: Clock) -> None:
    for number in range(FREE_FOR_ALL):
        assert throttle.wait_s(f"10.0.0.{number}") == 0
        throttle.wrong(f"10.0.0.{number}")
    wait_s = throttle.wait_s("10.1.0.0")
    assert wait_s == pytest.approx(1 / FOR_ALL_PER_S)
    clock.now_s += wait_s
    assert throttle.wait_s("10.1.0.0") == pytest.approx(0)


def test_no_number_of_addresses_fills_the_memory(
    throttle: Throttle, clock: Clock
) -> None:
    for number in range(5 * MOST_ADDRESSES):
        throttle.wrong(f"10.0.{number // 256}.{number % 256}")
    assert len(throttle._wrong) == MOST_ADDRESSES
    clock.now_s += FORGET_AFTER_S + 1
    throttle.wrong("10.1.0.0")
    assert len(throttle._wrong) == 1
