from inference.stopwatch import Stopwatch


def test_laps_add_up_to_the_total() -> None:
    times = iter([10.0, 10.5, 12.0, 12.25])
    watch = Stopwatch(lambda: next(times))
    watch.lap("network")
    watch.lap("locate")
    assert watch.laps_ms == {"network": 500.0, "locate": 1500.0}
    assert watch.total_s == 2.25
