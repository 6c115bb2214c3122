"""The shipped model on frames that neither its training nor its simulator has made.

The images are abTEM's (`make_multislice.py` beside this file): a probe that is a wave,
atoms in three dimensions, counts from first principles. Only noise is added here.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import least_squares

from inference.analyse import Analyser, History
from inference.catalogue import DEFAULT
from inference.evaluation.comparison import BORDER_NM
from inference.evaluation.scoring import Score, score
from inference.matching import MATCH_NM, match
from inference.model import load_model
from inference.refinement.refine import Fate, refine
from streamer.atoms import Atoms
from streamer.frame import Frame, Stream
from streamer.simulator.microscope import (
    FWHM_PER_SIGMA,
    Microscope,
    Probe,
    detect,
    expected_counts,
)
from streamer.simulator.sheet import CARBON, SILICON, Sheet
from streamer.simulator.truth import Truth, truth_of

FOLDER = Path(__file__).parent / "multislice"
MARGIN_NM = 0.3
"""Cut off each side of the periodic cell, whose border is a seam of the lattice."""
NOMINAL_NM = 1 / 64


@dataclass(frozen=True, slots=True, eq=False)
class Specimen:
    """What was simulated: the atoms of a periodic cell, and its image."""

    sheet: Sheet
    site_nm: NDArray[np.float64]
    """(N, 2): where each atom was before it was displaced, by itself."""
    spectrum: NDArray[np.complex128]
    """(n, n): Fourier coefficients of the fraction of electrons on the detector, as
    the effective source blurs it."""
    optics: tuple[float, float]
    """Acceleration voltage in kV, semi-angle of the probe in mrad."""

    def side_px(self, pixel_size_nm: float) -> int:
        """Of a frame that shows all but the margin."""
        return round((self.sheet.field_nm - 2 * MARGIN_NM) / pixel_size_nm)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame of a specimen, what is there, and what the model says is."""

    specimen: Specimen
    frame: Frame
    truth: Truth
    atoms: Atoms

    @property
    def pixel_size_nm(self) -> float:
        assert self.frame.pixel_size_nm is not None
        return self.frame.pixel_size_nm


def load(path: Path) -> Specimen:
    with np.load(path) as stored:
        cell_nm = float(stored["cell_nm"])
        xy_nm, species = stored["xy_nm"], stored["species"]
        fraction = stored["fraction"].astype(np.float64)
        sigma_nm = float(stored["source_fwhm_nm"]) / FWHM_PER_SIGMA
        site_nm = stored["site_nm"]
        optics = float(stored["energy_kv"]), float(stored["semiangle_mrad"])
    sheet = Sheet(xy_nm, species, np.zeros(len(xy_nm), np.int64), cell_nm)
    blur = np.exp(-0.5 * (waves(len(fraction), cell_nm) * sigma_nm) ** 2)
    spectrum = np.fft.fft2(fraction, norm="forward") * blur * blur[:, None]
    return Specimen(sheet, site_nm, spectrum, optics)


def waves(count: int, cell_nm: float) -> NDArray[np.float64]:
    """(count,): angular wave numbers of a period, 1/nm, in the order of an FFT."""
    return np.fft.fftfreq(count, 1 / count) * 2 * math.pi / cell_nm


def fraction_at(specimen: Specimen, pixel_size_nm: float) -> NDArray[np.float64]:
    """(rows, cols): the Fourier series in the middle of each pixel, which is exact."""
    side = specimen.side_px(pixel_size_nm)
    middle = MARGIN_NM + (np.arange(side) + 0.5) * pixel_size_nm
    wave = waves(len(specimen.spectrum), specimen.sheet.field_nm)
    basis = np.exp(1j * middle[:, None] * wave)
    return np.maximum((basis @ specimen.spectrum @ basis.T).real, 0)


def in_frame(xy_nm: NDArray[np.float64], pixel_size_nm: float) -> NDArray[np.float64]:
    """(N, 2): (row, col) in pixels."""
    return np.asarray((xy_nm[:, ::-1] - MARGIN_NM) / pixel_size_nm - 0.5)


def microscope(specimen: Specimen, pixel_size_nm: float, dose: float) -> Microscope:
    """The paper's current, and its time on each nm² times `dose`."""
    side = specimen.side_px(pixel_size_nm)
    nominal = Microscope()
    share = (side * pixel_size_nm / nominal.field_nm) ** 2
    return Microscope(
        shape=(side, side),
        field_nm=side * pixel_size_nm,
        frame_time_s=nominal.frame_time_s * share * dose,
    )


def look_at(
    specimen: Specimen,
    analyser: Analyser,
    pixel_size_nm: float,
    dose: float,
    rng: np.random.Generator,
) -> Look:
    scope = microscope(specimen, pixel_size_nm, dose)
    electrons = scope.dose_e_nm2 * pixel_size_nm**2
    expected = electrons * fraction_at(specimen, pixel_size_nm)
    image = detect(expected.astype(np.float32), scope, rng)
    rowcol = in_frame(specimen.sheet.xy_nm, pixel_size_nm)
    hidden = np.zeros(len(rowcol), bool)
    truth = truth_of(specimen.sheet, rowcol, scope.shape, hidden)
    stream = Stream("multislice", "abTEM", "HAADF")
    frame = Frame(stream, 0, image, pixel_size_nm=pixel_size_nm)
    return Look(specimen, frame, truth, analyser.analyse(frame, History()).atoms)


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    return Analyser(load_model(DEFAULT))


@pytest.fixture(scope="module")
def specimens() -> dict[str, Specimen]:
    return {path.stem: load(path) for path in sorted(FOLDER.glob("*.npz"))}


CONDITIONS = [
    ("nominal", NOMINAL_NM, 1.0),
    ("nominal, 0.02 nm", 0.02, 1.0),
    ("4 x dose", NOMINAL_NM, 4.0),
    ("4 x dose, 0.02 nm", 0.02, 4.0),
]
UNRESOLVED = "defocused"
"""Defocus of 5 nm at 30 mrad: the probe is 0.15 nm wide in its core, more than half of
it lies in its tail, and neighbours merge."""


@pytest.fixture(scope="module", params=CONDITIONS, ids=[row[0] for row in CONDITIONS])
def looks(
    request: pytest.FixtureRequest, analyser: Analyser, specimens: dict[str, Specimen]
) -> dict[str, Look]:
    _, pixel_size_nm, dose = request.param
    rng = np.random.default_rng(31)
    return {
        name: look_at(specimen, analyser, pixel_size_nm, dose, rng)
        for name, specimen in specimens.items()
    }


def scores(looks: dict[str, Look]) -> dict[str, Score]:
    return {
        name: score(look.atoms, look.truth, look.frame.shape, look.pixel_size_nm)
        for name, look in looks.items()
    }


def test_specimens_are_many_and_disordered(specimens: dict[str, Specimen]) -> None:
    species = np.concatenate([one.sheet.species for one in specimens.values()])
    assert len(specimens) >= 12
    assert len(species) > 2500
    assert (species == SILICON).sum() > 30


def test_atoms_are_found_where_the_probe_resolves_them(looks: dict[str, Look]) -> None:
    found = [one for name, one in scores(looks).items() if name != UNRESOLVED]
    assert np.mean([one.f1 for one in found]) >= 0.99
    assert np.nanmean([one.edge_recall for one in found]) >= 0.96
    assert np.nanmean([one.vacuum_nm2 for one in found]) <= 0.02


@pytest.mark.xfail(
    reason="measured: F1 0.77 and 0.73 at nominal dose, 0.92 and 0.94 at four times it",
    strict=True,
)
@pytest.mark.parametrize(
    ("pixel_size_nm", "dose"),
    [row[1:] for row in CONDITIONS],
    ids=[row[0] for row in CONDITIONS],
)
def test_atoms_are_found_out_of_focus(
    analyser: Analyser,
    specimens: dict[str, Specimen],
    pixel_size_nm: float,
    dose: float,
) -> None:
    specimen = specimens[UNRESOLVED]
    looks = {}
    for seed in range(5):
        rng = np.random.default_rng([34, seed])
        looks[str(seed)] = look_at(specimen, analyser, pixel_size_nm, dose, rng)
    assert np.mean([one.f1 for one in scores(looks).values()]) >= 0.99


def test_silicon_is_told_from_carbon(looks: dict[str, Look]) -> None:
    counts = [silicon(look) for look in looks.values()]
    called, there, right = np.sum(counts, axis=0)
    assert there > 10
    # So few that 0.97 would allow no error at all.
    assert there - right <= 1
    assert called - right <= 1


def silicon(look: Look) -> tuple[int, int, int]:
    """How many Si the model reports, how many there are, and how many are both."""
    found = np.stack([look.atoms.row_px, look.atoms.col_px], axis=1)
    true = np.stack([look.truth.row_px, look.truth.col_px], axis=1)
    border_px = BORDER_NM / look.pixel_size_nm
    called = look.atoms.species == SILICON
    there = look.truth.species == SILICON
    counted = inside(true, border_px, look.frame.shape)
    pairs = match(found, true, MATCH_NM / look.pixel_size_nm)
    right = called[pairs.found] & (there & counted)[pairs.true]
    # One found on the other side of the border than it lies counts as it lies.
    near = inside(found, border_px, look.frame.shape)
    near[pairs.found] = counted[pairs.true]
    return int((called & near).sum()), int((there & counted).sum()), int(right.sum())


def inside(
    rowcol: NDArray[np.floating], border_px: float, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    far = np.array(shape) - border_px
    return np.asarray(((rowcol > border_px) & (rowcol < far)).all(axis=1))


def test_displacements_are_measured_through_a_probe_that_is_a_wave(
    analyser: Analyser, specimens: dict[str, Specimen]
) -> None:
    rng = np.random.default_rng(33)
    parts = [
        displacements(look_at(specimen, analyser, NOMINAL_NM, 4.0, rng))
        for name, specimen in specimens.items()
        if name != UNRESOLVED
    ]
    true, measured, sigma = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert 0.93 < (true * measured).sum() / (true**2).sum() < 1.07
    assert 0.62 < (np.abs(measured - true) < sigma).mean() < 0.76


def displacements(look: Look) -> tuple[NDArray[np.float64], ...]:
    """(n, 2) each, in pixels: true ones, measured ones, and their uncertainty.

    Coma moves the image as a whole, as does the origin of a scan, and nobody could
    know: what is common to all atoms is left out.
    """
    atoms, size = look.atoms, look.pixel_size_nm
    start = np.stack([atoms.row_net_px, atoms.col_net_px], axis=1)
    image = look.frame.image.astype(np.float32)
    fit = refine(image, start, atoms.species, atoms.score, size)
    site = in_frame(look.specimen.site_nm, size)
    moved = in_frame(look.specimen.sheet.xy_nm, size) - site
    pairs = match(start, site + moved, MATCH_NM / size)
    chosen = (fit.fate == Fate.REFINED)[pairs.found]
    chosen &= inside(site[pairs.true], BORDER_NM / size, look.frame.shape)
    here, there = pairs.found[chosen], pairs.true[chosen]
    error = fit.rowcol[here] - site[there] - moved[there]
    error = error - np.median(error, axis=0)
    return moved[there], moved[there] + error, fit.sigma[here]


def totals(specimens: dict[str, Specimen]) -> NDArray[np.float64]:
    """(n, 3): of each cell at 100 kV and 30 mrad the number of C, of Si, and the
    fraction that they scatter to the detector times the area, nm²."""
    rows = [
        (
            (one.sheet.species == CARBON).sum(),
            (one.sheet.species == SILICON).sum(),
            one.spectrum[0, 0].real * one.sheet.field_nm**2,
        )
        for one in specimens.values()
        if one.optics == (100, 30)
    ]
    return np.array(rows, np.float64)


def test_brightness_is_the_sum_over_the_atoms(specimens: dict[str, Specimen]) -> None:
    """First Born approximation with Lobato's scattering factors, 80 to 200 mrad, gives
    2.87e-6 nm² for C and 1.53e-5 nm² for Si."""
    carbon, silicon, total_nm2 = totals(specimens).T
    counted = np.stack([carbon, silicon], axis=1)
    each, *_ = np.linalg.lstsq(counted, total_nm2)
    np.testing.assert_allclose(counted @ each, total_nm2, rtol=0.02)
    np.testing.assert_allclose(each, [2.87e-6, 1.53e-5], rtol=0.1)


@pytest.mark.parametrize("name", ["whole", "holes-blurred", "60-kv"])
def test_the_linear_model_differs_by_less_than_the_noise(
    specimens: dict[str, Specimen], name: str
) -> None:
    truth = fraction_at(specimens[name], NOMINAL_NM)
    start = Probe()
    fit = least_squares(
        lambda shape: misfit(specimens[name], truth, shape).ravel() / truth.max(),
        [start.fwhm_nm, start.tail_fraction, start.tail_sigma_nm],
        bounds=([0.075, 0.03, 0.08], [0.16, 0.35, 0.2]),  # as in training
        diff_step=0.01,
    )
    left = misfit(specimens[name], truth, fit.x)
    scope = microscope(specimens[name], NOMINAL_NM, 1.0)
    electrons = scope.dose_e_nm2 * NOMINAL_NM**2
    assert electrons * left.std() < 0.2 * math.sqrt(electrons * truth.mean())
    assert np.corrcoef((truth - left).ravel(), truth.ravel())[0, 1] > 0.99


def misfit(
    specimen: Specimen, truth: NDArray[np.float64], shape: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What the simulator's image leaves of `truth`, with the best brightness for each
    species and the probe of that width, tail, and width of the tail."""
    fwhm_nm, tail_fraction, tail_sigma_nm = shape
    scope = Microscope(
        shape=(len(truth), len(truth)),
        field_nm=len(truth) * NOMINAL_NM,
        probe=Probe(fwhm_nm, tail_fraction, tail_sigma_nm),
    )
    rowcol = in_frame(specimen.sheet.xy_nm, NOMINAL_NM)
    images = []
    for species in (CARBON, SILICON):
        chosen = rowcol[specimen.sheet.species == species]
        still = np.zeros(len(truth))
        images.append(expected_counts(chosen, np.ones(len(chosen)), scope, still))
    design = np.stack(images, axis=-1, dtype=np.float64).reshape(-1, 2)
    best, *_ = np.linalg.lstsq(design, truth.ravel())
    return truth - (design @ best).reshape(truth.shape)
