"""What the shipped decoder draws: sub-images of graphene, at angle 0."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from inference.catalogue import DEFAULT
from inference.decode import Decoder, load_decoder, manifold

USUAL = np.zeros((1, 2), np.float32)
NEAREST = [(0.142, degrees) for degrees in (0, 120, 240)]
"""Places about an atom: nm, degrees counter-clockwise."""
NEXT = [(0.246, degrees) for degrees in range(30, 360, 60)]
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
