"""Files of a frame's atoms, read back as whoever took them away would."""

import io
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from dashboard.history import begun
from dashboard.scene import ATOMS_DRAWN, Scene
from dashboard.takeaway import MOST_ATOMS, taken, wanted
from streamer.analysis import Analysis
from streamer.atoms import Atoms
from streamer.session.atoms_table import schema

type Movie = Callable[[int], Analysis]

LEFT_HALF = {"axes": ["x", "y"], "x": [-1, 1.5, 1.5, -1], "y": [-1, -1, 9, 9]}


def asked(format: str, region: object = None, frame: int = 30) -> str:
    return json.dumps({"format": format, "frame": frame, "region": region})


def table(content: bytes, format: str) -> pa.Table:
    if format == "csv":
        return pyarrow.csv.read_csv(io.BytesIO(content))
    return pq.read_table(io.BytesIO(content))


@pytest.fixture
def analysis(movie: Movie) -> Analysis:
    return movie(30)


@pytest.fixture
def scene(analysis: Analysis) -> Scene:
    return begun(analysis).newest


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_all_atoms_of_a_frame_come_in_the_columns_of_its_session(
    analysis: Analysis, scene: Scene, format: str
) -> None:
    file = taken(scene, "simulator · HAADF", wanted(asked(format)))
    assert file.name == f"simulator-HAADF-frame-30.{format}"
    read, atoms = table(file.content, format), analysis.atoms
    expected = list(schema(analysis.model.latents).names)
    expected.remove("stream")
    assert read.column_names == expected
    assert set(read["frame"].to_pylist()) == {30}
    assert set(read["time_s"].to_pylist()) == {analysis.time_s}
    names = np.where(atoms.species == 0, "C", "Si").tolist()
    assert read["species"].cast(pa.string()).to_pylist() == names
    for name in ("x_nm", "y_nm", "score", "angle_rad", "crystallinity", "z1", "z2"):
        found = read[name].to_numpy().astype(np.float32)
        np.testing.assert_array_equal(found, atoms.columns()[name], name)
    assert read["edge"].to_pylist() == atoms.edge.tolist()
    assert read["z1_sigma"].null_count == len(atoms), "nobody told it"


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_of_a_region_come_the_atoms_in_it(
    analysis: Analysis, scene: Scene, format: str
) -> None:
    file = taken(scene, "s", wanted(asked(format, LEFT_HALF)))
    assert file.name == f"s-frame-30-selection.{format}"
    left = analysis.atoms.x_nm[analysis.atoms.x_nm < 1.5]
    assert 0 < len(left) < len(analysis.atoms)
    x = table(file.content, format)["x_nm"].to_numpy().astype(np.float32)
    np.testing.assert_array_equal(x, left)


def test_a_region_of_latent_space_asks_latents_and_angles(
    analysis: Analysis, scene: Scene
) -> None:
    region = {"axes": ["crystallinity", "angle_deg"], "x": [-9, 0.5, 0.5, -9],
              "y": [-61, -61, 61, 61]}  # fmt: skip
    read = table(taken(scene, "s", wanted(asked("parquet", region))).content, "parquet")
    low = analysis.atoms.latents["crystallinity"] < 0.5
    assert len(read) == low.sum() > 0


def test_atoms_that_are_too_many_to_be_drawn_are_in_the_file(
    analysis: Analysis,
) -> None:
    columns = analysis.atoms.columns()
    many = {name: np.resize(each, ATOMS_DRAWN + 5) for name, each in columns.items()}
    scene = begun(replace(analysis, atoms=Atoms.from_columns(many))).newest
    read = table(taken(scene, "s", wanted(asked("parquet"))).content, "parquet")
    assert len(read) == ATOMS_DRAWN + 5 > len(scene.atoms["x"])


def test_a_file_that_would_stop_the_page_is_refused_with_the_way_out(
    scene: Scene,
) -> None:
    columns = scene.table.columns()
    many = {name: np.resize(each, MOST_ATOMS + 1) for name, each in columns.items()}
    crowd = replace(scene, table=Atoms.from_columns(many))
    with pytest.raises(ValueError, match=r"250,001 atoms.*atomstream export"):
        taken(crowd, "s", wanted(asked("csv")))


def test_axes_that_a_frame_does_not_have_are_refused(scene: Scene) -> None:
    region = {**LEFT_HALF, "axes": ["x", "z9"]}
    with pytest.raises(ValueError, match="no 'z9'"):
        taken(scene, "s", wanted(asked("csv", region)))


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        ("../../etc/passwd · x", "etc-passwd-x-frame-30.csv"),
        ("", "atoms-frame-30.csv"),
        ("…", "atoms-frame-30.csv"),
        ("a" * 500, "a" * 60 + "-frame-30.csv"),
    ],
)
def test_a_file_has_a_plain_name_whatever_the_stream_is_called(
    scene: Scene, stream: str, name: str
) -> None:
    assert taken(scene, stream, wanted(asked("csv"))).name == name


@pytest.mark.parametrize(
    "told",
    ["", "{", "[]", "null", "7", '{"format": "exe", "frame": 1}', '{"format": "csv"}',
     '{"format": "csv", "frame": true}', '{"format": "csv", "frame": 1, "region": 7}',
     '{"format": ["csv"], "frame": 1}', '{"format": "csv", "frame": 1, "region": {}}',
     "[" * 200_000],
    ids=lambda told: told[:60],
)  # fmt: skip
def test_what_is_no_wish_for_a_file_is_refused(told: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 # whatever the words
        wanted(told)
