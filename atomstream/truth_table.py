"""The ground truth of a simulated movie as a Parquet file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from streamer.atoms import SPECIES
from streamer.session.durable import replacing
from streamer.simulator.movie import Exposure

FIELDS: "tuple[pa.Field[Any], ...]" = (
    pa.field("frame", pa.int32()),
    pa.field("row_px", pa.float32()),
    pa.field("col_px", pa.float32()),
    pa.field("x_nm", pa.float32()),
    pa.field("y_nm", pa.float32()),
    pa.field("species", pa.dictionary(pa.int8(), pa.string())),
    pa.field("coordination", pa.uint8()),
    pa.field("angle_rad", pa.float32()),
    pa.field("crystallinity", pa.float32()),
    pa.field("hidden", pa.bool_()),
)
SCHEMA = pa.schema(FIELDS)


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
    columns: dict[str, NDArray[np.generic] | pa.Array[Any]] = {
        "frame": np.full(len(truth), exposure.index, np.int32),
        "row_px": truth.row_px,
        "col_px": truth.col_px,
        "x_nm": truth.col_px * np.float32(size),
        "y_nm": truth.row_px * np.float32(size),
        "species": species,
        "coordination": truth.coordination,
        "angle_rad": truth.angle_rad,
        "crystallinity": truth.crystallinity,
        "hidden": truth.hidden,
    }
    return pa.Table.from_pydict(columns, schema=SCHEMA)
