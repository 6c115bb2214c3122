"""A real frame with its atoms displaced by a known amount: pixels of cells, moved.

The frame is cut into the Voronoi cells of its atoms, and each cell's pixels are moved
by a displacement of its own. Noise, probe and contrast stay those of the microscope,
and only the displacement is made up.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import KDTree


def cell_of_each_pixel(
    shape: tuple[int, int], atoms: NDArray[np.floating]
) -> NDArray[np.intp]:
    """(rows, cols): number of the atom that is nearest to each pixel.

    Parameters
    ----------
    atoms
        (N, 2): (row, col) in pixels, N > 0.
    """
    pixels = np.stack(np.indices(shape), axis=-1).reshape(-1, 2)
    return np.asarray(KDTree(atoms).query(pixels)[1], np.intp).reshape(shape)


def moved_cells(
    image: NDArray[np.floating],
    atoms: NDArray[np.floating],
    displacement: NDArray[np.floating],
) -> NDArray[np.float32]:
    """The frame in which each atom's cell shows what lay `displacement` before it.

    Borders of cells stay where they are: an atom moves within its cell, and what was
    of its neighbour's tail there moves along with it.

    Parameters
    ----------
    image
        (rows, cols)
    atoms
        (N, 2): (row, col) in pixels.
    displacement
        (N, 2): of each atom along (row, col), in pixels.
    """
    shape = (image.shape[0], image.shape[1])
    shift = displacement[cell_of_each_pixel(shape, atoms)]
    source = np.indices(shape) - shift.transpose(2, 0, 1)
    return np.asarray(
        map_coordinates(image, source, order=3, mode="nearest"), np.float32
    )


def slope_of_answer(
    answer: NDArray[np.floating], displacement: NDArray[np.floating]
) -> float:
    """How much of the displacements, (N, 2), is in the answers, (N, 2): 1 for all."""
    return float((answer * displacement).sum() / np.square(displacement).sum())
