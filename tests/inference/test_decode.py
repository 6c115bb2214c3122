"""What the shipped decoder draws: sub-images of graphene, at angle 0."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from inference.catalogue import DEFAULT
from inference.decode import Decoder, load_decoder, manifold
from inference.describe import describer_of
from inference.model import load_model
from inference.resample import Grid
from inference.segment import Maps

type Draw = Callable[..., NDArray[np.float32]]

USUAL = np.zeros((1, 2), np.float32)
NEAREST = [(0.142, degrees) for degrees in (0, 120, 240)]
"""Places about an atom: nm, degrees counter-clockwise."""
NEXT = [(0.246, degrees) for degrees in range(30, 360, 60)]
MAPS_NM = 0.02
"""Pixel size of the maps."""
MIDDLE = np.array([[60.0, 60.0]])
PLACES = [x + 1j * y for x in np.arange(-0.6, 0.6, 0.03)
          for y in np.arange(-0.6, 0.6, 0.03)]  # fmt: skip
HOLLOWS = [(0.142, degrees) for degrees in (60, 180, 300)]


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return load_decoder(DEFAULT)


def test_the_usual_sub_image_is_a_piece_of_graphene(decoder: Decoder) -> None:
    image = decoder.draw(USUAL)[0]
    atoms = brightness(decoder, image, [(0.0, 0), *NEAREST, *NEXT])
    assert atoms.min() > 0.25
    assert brightness(decoder, image, HOLLOWS).max() < 0.1


def test_there_is_content_that_stands_for_an_edge(decoder: Decoder) -> None:
    usual = sectors(decoder, decoder.draw(USUAL)[0])
    side_px = decoder.card.side_px
    drawn = manifold(decoder, 5).reshape(-1, side_px, side_px)
    least = np.min([sectors(decoder, image) for image in drawn])
    assert least < 0.4 * usual.min()


def test_the_first_latent_grows_to_the_right_and_the_second_upwards(
    decoder: Decoder,
) -> None:
    drawn = manifold(decoder, 3)
    corner = np.array([[1.6449, -1.6449]], np.float32)  # 0.95 of a normal latent
    np.testing.assert_allclose(drawn[2, 2], decoder.draw(corner)[0], atol=1e-4)
    np.testing.assert_allclose(drawn[0, 0], decoder.draw(-corner)[0], atol=1e-4)


def test_latents_with_a_range_are_drawn_through_it() -> None:
    paper = load_decoder("graphene-si-paper")
    (least, most), (_, highest) = paper.card.ranges
    assert (least, most) == (0, 1)
    corner = paper.draw(np.array([[1, highest]], np.float32))[0]
    np.testing.assert_allclose(manifold(paper, 4)[0, -1], corner, atol=1e-5)


@pytest.mark.parametrize("name", [DEFAULT, "graphene-si-paper"])
@pytest.mark.parametrize("turn_deg", [-25.0, 15.0, 35.0])
def test_what_was_encoded_is_drawn_turned_back_by_its_angle(
    draw: Draw, name: str, turn_deg: float
) -> None:
    """Turned forth by it the drawing is the sub-image, the other way it is not."""
    model, decoder = load_model(name, threads=1), load_decoder(name)
    carbon = sheet(draw, turn_deg)
    maps = Maps(carbon, np.zeros_like(carbon), Grid(carbon.shape, carbon.shape))
    described = describer_of(model.card).describe(maps, MIDDLE)
    encoded = model.encode(described.rows)
    latents = dict(zip(model.card.encoder.latents, encoded.latents.T, strict=True))
    content = np.stack([latents[latent] for latent in decoder.card.latents], axis=1)
    image = decoder.draw(content)[0]
    angle = np.exp(1j * encoded.angle_rad[0])
    reach = 0.4 * decoder.card.side_px * decoder.card.pixel_size_nm
    places = np.array([place for place in PLACES if abs(place) < reach])
    seen = at(carbon, MIDDLE[0], MAPS_NM, places)
    middle = np.full(2, (decoder.card.side_px - 1) / 2)

    def likeness(turned: NDArray[np.complex128]) -> float:
        drawn = at(image, middle, decoder.card.pixel_size_nm, turned)
        return float(np.corrcoef(seen, drawn)[0, 1])

    assert likeness(places / angle) > 0.7
    assert likeness(places * angle) < 0.55


def sheet(draw: Draw, turn_deg: float) -> NDArray[np.float32]:
    """Graphene with an atom in the middle, a bond of which points along the angle."""
    bond = 0.142 * np.exp(1j * np.radians(turn_deg))
    first, second = (bond * (1 + np.exp(1j * np.radians(turn))) for turn in (60, -60))
    near = range(-9, 10)
    cells = np.array([one * first + two * second for one in near for two in near])
    atoms = np.concatenate([cells, cells + bond]) / MAPS_NM
    where = MIDDLE[0] + np.stack([-atoms.imag, atoms.real], axis=1)
    return draw((121, 121), where, 2.0)


def at(
    image: NDArray[np.float32],
    middle: NDArray[np.float64],
    pixel_size_nm: float,
    places: NDArray[np.complex128],
) -> NDArray[np.float64]:
    """Of the image at places about a middle, x + iy in nm, y upwards."""
    offset = places / pixel_size_nm
    where = [middle[0] - offset.imag, middle[1] + offset.real]
    return np.asarray(map_coordinates(image, where, order=1))


def brightness(
    decoder: Decoder, image: NDArray[np.float32], places: list[tuple[float, float]]
) -> NDArray[np.float64]:
    """Of the image at places about its middle, y upwards."""
    radius, degrees = np.array(places, float).T
    along = radius / decoder.card.pixel_size_nm * np.exp(1j * np.radians(degrees))
    middle = decoder.card.side_px // 2
    return np.asarray(
        map_coordinates(image, [middle - along.imag, middle + along.real], order=1)
    )


def sectors(decoder: Decoder, image: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean brightness in each sixth of the ring of 0.25 to 0.6 nm."""
    middle = decoder.card.side_px // 2
    axis = (np.arange(decoder.card.side_px) - middle) * decoder.card.pixel_size_nm
    place = axis[None, :] - 1j * axis[:, None]
    ring = (np.abs(place) > 0.25) & (np.abs(place) < 0.6)
    sixth = np.floor(np.degrees(np.angle(place)) % 360 / 60)
    return np.array([image[ring & (sixth == number)].mean() for number in range(6)])
