"""The links to the page that people are told."""

import socket

import pytest

from atomstream.links import address_of_this_computer, links_in_words

FAR = address_of_this_computer()
NAME = socket.gethostname()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:5006", "http://127.0.0.1:5006"),
        ("https://lab-pc:5006", "https://lab-pc:5006"),
        ("http://[::1]:5006", "http://[::1]:5006"),
        (
            "http://0.0.0.0:5006",
            f"http://127.0.0.1:5006, from other computers http://{FAR}:5006",
        ),
        (
            "http://[::]:5006",
            f"http://127.0.0.1:5006, from other computers http://{FAR}:5006",
        ),
        (
            "https://0.0.0.0:5006",
            f"https://127.0.0.1:5006, from other computers https://{NAME}:5006",
        ),
    ],
)
def test_a_link_is_one_that_can_be_opened(url: str, told: str) -> None:
    assert links_in_words(url) == told


def test_others_are_not_sent_to_their_own_computer() -> None:
    assert not FAR.startswith(("127.", "0.", "[::", "localhost"))
