from pathlib import Path

import pytest

from streamer.session.durable import make_folder, replacing, write_file


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"new")
    write_file(tmp_path / "a", b"newer")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"newer")]


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail_in_the_middle() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"hal")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        fail_in_the_middle()
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


def test_what_is_being_written_is_hidden_from_dataset_readers(tmp_path: Path) -> None:
    with replacing(tmp_path / "000000.parquet") as temporary:
        assert temporary.name.startswith(".")
        temporary.touch()


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
