"""Snapshots, and the hub that hands them out."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.axis import Axis
from dashboard.hub import Hub
from dashboard.missing import Missing
from dashboard.notebook import Notebook, NotesFollowed
from dashboard.snapshot import CHANNELS, LinkState
from streamer.analysis import Analysis
from streamer.frame import Stream
from streamer.session.notes import NOTES_NAME, Note

type Movie = Callable[[int], Analysis]

WITHIN_S = 20.0


@pytest.fixture
def hub() -> Hub:
    seconds = iter(range(1_000_000))
    return Hub("tcp://127.0.0.1:5556", lambda: float(next(seconds)))


def of_stream(analysis: Analysis, id_: str, source: str = "simulator") -> Analysis:
    return replace(analysis, stream=Stream(id_, source, "HAADF"))


def shown(hub: Hub) -> dict[str, list[int]]:
    """Numbers of the frames in memory, by channel."""
    return {
        name: [scene.seq for scene in channel.history.scenes]
        for name, channel in hub.snapshot.channels.items()
    }


def test_a_snapshot_stays_as_it_was_handed_out(hub: Hub, movie: Movie) -> None:
    hub.add(movie(0))
    before = hub.snapshot
    hub.add(movie(1))
    assert [
        scene.seq for scene in before.channels["simulator · HAADF"].history.scenes
    ] == [0]
    assert shown(hub) == {"simulator · HAADF": [0, 1]}


def test_a_new_run_takes_the_place_of_the_last(hub: Hub, movie: Movie) -> None:
    hub.add(of_stream(movie(5), "first run"))
    hub.add(of_stream(movie(0), "second run"))
    assert shown(hub) == {"simulator · HAADF": [0]}


def test_a_late_frame_of_an_earlier_run_does_not_bring_it_back(
    hub: Hub, movie: Movie
) -> None:
    for run in ("first run", "second run", "first run"):
        hub.add(of_stream(movie(0), run))
    (channel,) = hub.snapshot.channels.values()
    assert channel.history.stream.id == "second run"


def test_channels_stand_side_by_side_in_the_order_in_which_they_came(
    hub: Hub, movie: Movie
) -> None:
    for source in ("b", "a", "b"):
        hub.add(of_stream(movie(0), source, source))
    assert list(shown(hub)) == ["b · HAADF", "a · HAADF"]


def test_the_channel_that_was_quiet_longest_makes_room_for_a_new_one(
    hub: Hub, movie: Movie
) -> None:
    for number in (*range(CHANNELS), 0, CHANNELS):
        hub.add(of_stream(movie(0), str(number), f"source {number}"))
    expected = [0, *range(2, CHANNELS + 1)]
    assert list(shown(hub)) == [f"source {number} · HAADF" for number in expected]


def test_memory_is_shared_between_channels(movie: Movie) -> None:
    one = Hub("", lambda: 0.0)
    one.add(movie(0))
    (channel,) = one.snapshot.channels.values()
    hub = Hub("", lambda: 0.0, scene_bytes=int(4.5 * channel.history.newest.nbytes))
    for seq in range(6):
        hub.add(of_stream(movie(seq), "a", "a"))
    assert shown(hub) == {"a · HAADF": [2, 3, 4, 5]}
    for seq in range(6):
        hub.add(of_stream(movie(seq), "b", "b"))
    hub.add(of_stream(movie(6), "a", "a"))
    assert shown(hub) == {"a · HAADF": [5, 6], "b · HAADF": [4, 5]}


def test_losses_are_counted_by_run_also_before_its_first_frame(
    hub: Hub, movie: Movie
) -> None:
    stream = movie(0).stream
    hub.lose(stream, Missing(4, 6))
    hub.add(movie(3))
    hub.lose(stream, Missing(9, 10))
    assert hub.snapshot.lost == {stream.id: 5}


def test_only_the_running_stream_can_end(hub: Hub, movie: Movie) -> None:
    hub.add(of_stream(movie(0), "second run"))
    hub.end(Stream("first run", "simulator", "HAADF"))
    (channel,) = hub.snapshot.channels.values()
    assert not channel.ended
    hub.end(channel.history.stream)
    (channel,) = hub.snapshot.channels.values()
    assert channel.ended


def test_listeners_are_told_of_what_is_new_and_of_nothing_else(
    hub: Hub, movie: Movie
) -> None:
    heard: list[int] = []
    leave = hub.listen(lambda: heard.append(1))
    hub.add(movie(0))
    hub.set_link(LinkState.RECEIVING)
    hub.set_link(LinkState.RECEIVING)
    leave()
    hub.add(movie(1))
    assert len(heard) == 2
    assert hub.listeners == 0


def test_a_listener_may_leave_while_it_is_called(hub: Hub, movie: Movie) -> None:
    leave = hub.listen(lambda: leave())
    hub.add(movie(0))
    assert hub.listeners == 0


def test_readers_on_other_threads_always_see_a_whole_state(movie: Movie) -> None:
    hub = Hub("", lambda: 0.0)
    broken: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.wait(1e-4):
            for channel in hub.snapshot.channels.values():
                last = int(channel.history.records["seq"][-1])
                if (
                    not channel.history.newest.seq
                    == last
                    == channel.trends.along(Axis.FRAMES).lines["seq"][-1]
                ):
                    broken.append(f"half of frame {last}")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for seq in range(10):
        hub.add(movie(seq))
    done.set()
    for reader in readers:
        reader.join()
    assert broken == []


def test_which_frames_are_lost_is_remembered_with_the_reason(
    hub: Hub, movie: Movie
) -> None:
    stream = movie(0).stream
    hub.lose(stream, Missing(4, 6, "too late"))
    hub.lose(stream, Missing(7, 7, "too late"))
    hub.lose(Stream("other", "a", "b"), Missing(0, 0))
    assert hub.snapshot.missing[stream.id] == (Missing(4, 7, "too late"),)
    assert hub.snapshot.lost == {stream.id: 4, "other": 1}


def test_notes_without_a_folder_are_kept_in_memory_and_say_so(
    hub: Hub, movie: Movie
) -> None:
    hub.note(movie(0).stream.id, 3, "  a hole\nopens ")
    hub.note(movie(0).stream.id, 3, " \n ")
    (note,) = hub.snapshot.notes
    assert (note.stream_id, note.seq, note.text) == (
        movie(0).stream.id, 3, "a hole opens",
    )  # fmt: skip
    assert hub.snapshot.notes_kept.startswith("kept until this dashboard stops")


def test_dashboards_of_one_session_see_each_others_notes(
    tmp_path: Path, movie: Movie
) -> None:
    one, other = (
        Hub("here", lambda: 0.0, notebook=Notebook(tmp_path)) for _ in range(2)
    )
    one.note(movie(0).stream.id, 1, "first")
    other.note(movie(0).stream.id, 2, "second")
    one.look_for_notes()
    assert [note.text for note in one.snapshot.notes] == ["first", "second"]
    assert one.snapshot.notes == other.snapshot.notes
    again = Hub("here", lambda: 0.0, notebook=Notebook(tmp_path))
    assert again.snapshot.notes == one.snapshot.notes
    assert again.snapshot.notes_kept == f"kept in {tmp_path / NOTES_NAME}"


def test_a_note_that_the_disk_does_not_take_is_shown_and_says_so(
    tmp_path: Path, movie: Movie
) -> None:
    hub = Hub("here", lambda: 0.0, notebook=Notebook(tmp_path))
    hub.note(movie(0).stream.id, 1, "kept")
    (tmp_path / NOTES_NAME).rename(tmp_path / "elsewhere")
    (tmp_path / NOTES_NAME).mkdir()
    hub.note(movie(0).stream.id, 2, "not kept")
    assert "not kept" in [note.text for note in hub.snapshot.notes]
    assert hub.snapshot.notes_kept.startswith("1 NOT KEPT on disk")


def test_notes_of_others_come_by_themselves(tmp_path: Path, movie: Movie) -> None:
    hub = Hub("here", lambda: 0.0, notebook=Notebook(tmp_path))
    heard = threading.Event()
    hub.listen(heard.set)
    with NotesFollowed(hub):
        Hub("", lambda: 0.0, notebook=Notebook(tmp_path)).note(
            movie(0).stream.id, 1, "from the other room"
        )
        assert heard.wait(20)
    assert [note.text for note in hub.snapshot.notes] == ["from the other room"]


class SlowDisk(Notebook):
    """Takes a note when `free` is set, and not before."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.free = threading.Event(), threading.Event()

    def write(self, note: Note) -> None:
        self.asked.set()
        assert self.free.wait(WITHIN_S)
        super().write(note)


def test_frames_do_not_wait_for_a_disk_that_takes_its_time_with_a_note(
    movie: Movie,
) -> None:
    notebook = SlowDisk()
    hub = Hub("here", lambda: 0.0, notebook=notebook)
    hub.add(movie(0))
    writer = threading.Thread(target=hub.note, args=(movie(0).stream.id, 0, "slow"))
    writer.start()
    assert notebook.asked.wait(WITHIN_S)
    reader = threading.Thread(target=hub.add, args=(movie(1),))
    reader.start()
    reader.join(WITHIN_S)
    assert not reader.is_alive()
    notebook.free.set()
    writer.join()
    assert [note.text for note in hub.snapshot.notes] == ["slow"]
