"""The ground truth of a simulated movie as a Parquet file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from streamer.atoms import SPECIES
from streamer.session.durable import replacing
from streamer.simulator.movie import Exposure

SCHEMA = pa.schema(
    [
        ("frame", pa.int32()),
        ("row_px", pa.float32()),
        ("col_px", pa.float32()),
        ("x_nm", pa.float32()),
        ("y_nm", pa.float32()),
        ("species", pa.dictionary(pa.int8(), pa.string())),
        ("coordination", pa.uint8()),
        ("angle_rad", pa.float32()),
        ("crystallinity", pa.float32()),
        ("hidden", pa.bool_()),
    ]
)


@contextmanager
def write_truth(path: Path) -> Iterator[Callable[[Exposure], None]]:
    """Block in which exposures can be written; the file appears when it ends well."""
    with replacing(path) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        yield lambda exposure: writer.write_table(truth_table(exposure))


def truth_table(exposure: Exposure) -> pa.Table:
    """One row an atom of one frame, hidden ones included."""
    truth, size = exposure.truth, exposure.microscope.pixel_size_nm
    species = pa.DictionaryArray.from_arrays(
        pa.array(truth.species, pa.int8()), pa.array(SPECIES)
    )
    columns = [
        pa.array([exposure.index] * len(truth), pa.int32()),
        truth.row_px,
        truth.col_px,
        truth.col_px * size,
        truth.row_px * size,
        species,
        truth.coordination,
        truth.angle_rad,
        truth.crystallinity,
        truth.hidden,
    ]
    return pa.Table.from_arrays([pa.array(c) for c in columns], schema=SCHEMA)
