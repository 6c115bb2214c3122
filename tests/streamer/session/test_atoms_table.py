from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from streamer.analysis import Analysis, ModelId
from streamer.atoms import Atoms
from streamer.frame import Frame
from streamer.session import atoms_table

COLUMNS = [
    "frame", "stream", "time_s", "dose_e_nm2", "row_px", "col_px", "x_nm", "y_nm",
    "x_sigma_nm", "y_sigma_nm", "row_net_px", "col_net_px", "species", "score",
    "angle_rad", "crystallinity", "z1", "angle_sigma_rad", "crystallinity_sigma",
    "z1_sigma", "edge",
]  # fmt: skip


def table_of(analysis: Analysis, stream: int = 0) -> pa.Table:
    return atoms_table.decode(atoms_table.encode(analysis, stream))


def test_columns_are_those_of_the_design_in_that_order(
    make_frame: Callable[..., Frame], make_analysis: Callable[..., Analysis]
) -> None:
    assert table_of(make_analysis(make_frame())).column_names == COLUMNS


@pytest.mark.parametrize("count", [0, 1, 500])
def test_atoms_come_back_as_they_were(
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
    same_atoms: Callable[[Atoms, Atoms], None],
    count: int,
) -> None:
    analysis = make_analysis(make_frame(), atoms=count)
    same_atoms(atoms_table.to_atoms(table_of(analysis)), analysis.atoms)


def test_every_row_knows_its_frame_stream_time_and_dose(
    make_frame: Callable[..., Frame], make_analysis: Callable[..., Analysis]
) -> None:
    analysis = make_analysis(make_frame(12), atoms=2, time_s=402.0, dose_e_nm2=1.3e7)
    table = table_of(analysis, stream=3)
    assert (
        table.select(COLUMNS[:4]).to_pylist()
        == [{"frame": 12, "stream": 3, "time_s": 402.0, "dose_e_nm2": 1.3e7}] * 2
    )


def test_species_are_names_and_what_is_unknown_is_empty(
    make_frame: Callable[..., Frame], make_analysis: Callable[..., Analysis]
) -> None:
    table = table_of(make_analysis(make_frame(), atoms=3))
    assert table["species"].to_pylist() == ["C", "Si", "C"]
    assert table["dose_e_nm2"].null_count == 3
    assert table["x_sigma_nm"].null_count == 2


def test_the_table_of_no_atoms_has_the_same_schema(
    make_frame: Callable[..., Frame], make_analysis: Callable[..., Analysis]
) -> None:
    frame = make_frame()
    full, empty = make_analysis(frame), make_analysis(frame, atoms=0)
    bare = make_analysis(frame, atoms=0)
    object.__setattr__(bare, "atoms", Atoms.none())
    schemas = [table_of(analysis).schema for analysis in (full, empty, bare)]
    assert schemas[0] == schemas[1] == schemas[2]


def test_latents_must_be_those_of_the_models_card(
    make_frame: Callable[..., Frame], make_analysis: Callable[..., Analysis]
) -> None:
    analysis = make_analysis(make_frame())
    other = ModelId("other", "cd" * 32, ("crystallinity",), 2.0)
    object.__setattr__(analysis, "model", other)
    with pytest.raises(ValueError, match=r"card names \('crystallinity',\)$"):
        atoms_table.encode(analysis, 0)


def test_a_species_we_do_not_know_is_refused(
    make_frame: Callable[..., Frame], make_analysis: Callable[..., Analysis]
) -> None:
    table = table_of(make_analysis(make_frame(), atoms=1))
    place = table.column_names.index("species")
    forged = table.set_column(place, "species", pa.array(["Ge"]))
    with pytest.raises(ValueError, match=r"^a species that is none of C, Si$"):
        atoms_table.to_atoms(forged)


def test_a_folder_of_tables_reads_as_one_dataset(
    tmp_path: Path,
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
) -> None:
    for seq, count in enumerate([0, 4, 0, 3]):
        analysis = make_analysis(make_frame(seq), atoms=count)
        data = atoms_table.encode(analysis, 0)
        (tmp_path / f"{seq:06d}.parquet").write_bytes(data)
    (tmp_path / ".000004.parquet.tmp").write_bytes(b"half a fi")
    table = ds.dataset(tmp_path, format="parquet").to_table()
    assert table.column_names == COLUMNS
    assert table["frame"].to_pylist() == [1] * 4 + [3] * 3
    assert set(table["species"].to_pylist()) == {"C", "Si"}


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("time_s", "s"),
        ("dose_e_nm2", "e/nm²"),
        ("row_px", "px"),
        ("x_sigma_nm", "nm"),
        ("angle_rad", "rad"),
        ("species", ""),
        ("crystallinity", ""),
    ],
)
def test_units_stand_in_the_names(column: str, unit: str) -> None:
    assert atoms_table.unit(column) == unit
