import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streamer.analysis import Analysis, ModelId
from streamer.errors import SettingsError
from streamer.frame import Frame, Stream
from streamer.session.analyst import AnalysisRecorder
from streamer.session.export import export
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder

SECOND = Stream("77aa", "SuperScan", "MAADF")
ATOMS = {("5f0c", 0): 3, ("5f0c", 1): 0, ("5f0c", 2): 4, ("77aa", 0): 2}
PLACES = [(0, 0)] * 3 + [(2, 0)] * 4 + [(0, 1)] * 2
"""(frame, stream) of every atom, in the order of the export."""


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory,
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
) -> Path:
    folder = tmp_path_factory.mktemp("session")
    with FrameRecorder(folder) as recorder, AnalysisRecorder(folder) as analyst:
        for stream_id, seq in [("5f0c", 2), ("5f0c", 0), ("77aa", 0), ("5f0c", 1)]:
            stream = SECOND if stream_id == "77aa" else make_frame().stream
            frame = make_frame(seq, stream)
            recorder.commit_frame(frame, received_ns=0)
            given = make_analysis(frame, ATOMS[stream_id, seq], time_s=33.5 * seq)
            analyst.commit_analysis(given)
    return folder


@pytest.fixture
def session(folder: Path) -> Iterator[SessionReader]:
    with SessionReader(folder) as session:
        yield session


def column(session: SessionReader, name: str) -> np.ndarray:
    tables = [session.atoms(*key).columns()[name] for key in ATOMS]
    return np.concatenate(tables)


def test_csv_has_every_number_exactly(session: SessionReader, tmp_path: Path) -> None:
    assert export(session, tmp_path / "atoms.csv") == 9
    with (tmp_path / "atoms.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [(int(a["frame"]), int(a["stream"])) for a in lines] == PLACES
    for name in ("x_nm", "angle_rad", "z1", "x_sigma_nm"):
        written = [float(a[name] or "nan") for a in lines]
        read_back = np.array(written, np.float64).astype(np.float32)
        np.testing.assert_array_equal(read_back, column(session, name), name)
    assert [a["species"] for a in lines[:3]] == ["C", "Si", "C"]
    assert {a["edge"] for a in lines} == {"true", "false"}


def test_csv_is_plain_text_and_empty_where_nothing_is_known(
    session: SessionReader, tmp_path: Path
) -> None:
    export(session, tmp_path / "atoms.csv")
    header, first, *_ = (tmp_path / "atoms.csv").read_text().splitlines()
    assert header.startswith("frame,stream,time_s,dose_e_nm2,row_px,col_px,x_nm,y_nm,")
    assert first.startswith("0,0,0,,")
    assert "nan" not in (tmp_path / "atoms.csv").read_text()


def test_parquet_is_the_table_of_the_session(
    session: SessionReader, tmp_path: Path
) -> None:
    export(session, tmp_path / "atoms.parquet")
    table = pq.read_table(tmp_path / "atoms.parquet")
    places = zip(table["frame"].to_pylist(), table["stream"].to_pylist(), strict=True)
    assert list(places) == PLACES
    assert table.schema == session.atoms_table("5f0c", 1).schema
    np.testing.assert_array_equal(table["y_nm"].to_numpy(), column(session, "y_nm"))


def test_hdf5_has_a_dataset_with_units_for_each_column(
    session: SessionReader, tmp_path: Path
) -> None:
    export(session, tmp_path / "atoms.h5")
    with h5py.File(tmp_path / "atoms.h5") as file:
        atoms = file["atoms"]
        units = {name: atoms[name].attrs["units"] for name in atoms}
        assert list(zip(atoms["frame"], atoms["stream"], strict=True)) == PLACES
        assert atoms["species"][:3].tolist() == [b"C", b"Si", b"C"]
        np.testing.assert_array_equal(atoms["x_nm"][:], column(session, "x_nm"))
        np.testing.assert_array_equal(atoms["edge"][:], column(session, "edge"))
        assert np.isnan(atoms["dose_e_nm2"]).all()
    assert units["x_nm"] == "nm"
    assert units["dose_e_nm2"] == "e/nm²"
    assert units["score"] == ""


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".h5"])
def test_a_session_without_atoms_gives_an_empty_table(
    tmp_path: Path, make_frame: Callable[..., Frame], suffix: str
) -> None:
    with FrameRecorder(tmp_path / "s") as recorder:
        recorder.commit_frame(make_frame(), received_ns=0)
    with SessionReader(tmp_path / "s") as session:
        assert export(session, tmp_path / f"atoms{suffix}") == 0
    assert (tmp_path / f"atoms{suffix}").stat().st_size > 0


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".h5"])
def test_models_with_other_latents_share_one_table(
    tmp_path: Path,
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
    suffix: str,
) -> None:
    models = [
        ModelId("a", "ab" * 32, ("crystallinity",), 2.0),
        ModelId("b", "cd" * 32, ("crystallinity", "z1", "z2"), 2.0),
    ]
    with (
        FrameRecorder(tmp_path / "s") as recorder,
        AnalysisRecorder(tmp_path / "s") as analyst,
    ):
        for seq, model in enumerate(models):
            recorder.commit_frame(make_frame(seq), received_ns=0)
            analyst.commit_analysis(make_analysis(make_frame(seq), 2, model))
    with SessionReader(tmp_path / "s") as session:
        assert export(session, tmp_path / f"atoms{suffix}") == 4


def test_another_ending_is_refused(session: SessionReader, tmp_path: Path) -> None:
    line = "atoms.xlsx: atoms are exported to .csv, .parquet, .h5"
    with pytest.raises(SettingsError, match=f"^{re.escape(line)}$"):
        export(session, tmp_path / "atoms.xlsx")


def test_a_file_is_not_overwritten_unasked(
    session: SessionReader, tmp_path: Path
) -> None:
    out = tmp_path / "atoms.csv"
    out.write_text("my own")
    line = f"{out} exists already; --overwrite replaces it"
    with pytest.raises(SettingsError, match=f"^{re.escape(line)}$"):
        export(session, out)
    assert out.read_text() == "my own"
    export(session, out, overwrite=True)
    assert out.read_text().startswith("frame,")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".h5"])
def test_an_export_that_fails_leaves_no_file(
    session: SessionReader, tmp_path: Path, suffix: str
) -> None:
    class PulledOutError(Exception):
        pass

    def fail(written: int, _frames: int) -> None:
        if written == 2:
            raise PulledOutError

    with pytest.raises(PulledOutError):
        export(session, tmp_path / f"atoms{suffix}", progress=fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".h5"])
def test_a_place_that_is_not_there_is_one_line(
    session: SessionReader, tmp_path: Path, suffix: str
) -> None:
    with pytest.raises(SettingsError, match="nowhere is not a folder; make it first"):
        export(session, tmp_path / "nowhere" / f"atoms{suffix}")


def test_tells_how_far_it_is(session: SessionReader, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    export(
        session,
        tmp_path / "atoms.csv",
        progress=lambda written, frames: told.append((written, frames)),
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".h5"])
def test_memory_does_not_grow_with_the_movie(
    tmp_path: Path,
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
    suffix: str,
) -> None:
    frames = [make_frame(seq) for seq in range(30)]
    atoms = make_analysis(frames[0], atoms=4000)
    with (
        FrameRecorder(tmp_path / "s") as recorder,
        AnalysisRecorder(tmp_path / "s") as analyst,
    ):
        for frame in frames:
            recorder.commit_frame(frame, received_ns=0)
            object.__setattr__(atoms, "seq", frame.seq)
            analyst.commit_analysis(atoms)
    held: list[int] = []
    with SessionReader(tmp_path / "s") as session:
        export(
            session,
            tmp_path / f"atoms{suffix}",
            progress=lambda _written, _frames: held.append(pa.total_allocated_bytes()),
        )
    # The atoms of a frame have 0.3 MB, those of the movie 8 MB.
    assert len(held) == 30
    assert max(held) - held[0] < 1e6
