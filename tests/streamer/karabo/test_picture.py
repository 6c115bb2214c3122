"""Which array of a train is the image: said, or plain, or asked for with a list."""

import numpy as np
import pytest
from karabo_bridge import serialize

from streamer.errors import WireError
from streamer.karabo.picture import Choice
from streamer.karabo.train import Train, read_train

FLAT, LINE = np.zeros((6, 5), np.float32), np.zeros(9, np.float32)


def train(**sources: dict[str, object]) -> Train:
    data = {name.replace("_", "/"): arrays for name, arrays in sources.items()}
    parts = serialize(data, {name: {} for name in data})
    return read_train([memoryview(part).cast("B") for part in parts])


def found(choice: Choice, *trains: Train) -> list[tuple[str, str]]:
    names = [choice.find(each) for each in trains]
    return [(source.name, key) for source, key in names]


TWO = train(STEM_HAADF={"image": FLAT, "line": LINE}, STEM_BF={"image": FLAT})


def test_the_only_array_that_can_be_an_image_is_it() -> None:
    one = train(
        STEM_HAADF={"image": FLAT, "line": LINE, "long": FLAT.astype(np.int64)},
        STEM_XGM={"flux": LINE, "cube": np.zeros((2, 6, 5))},
    )
    assert found(Choice(None, None), one) == [("STEM/HAADF", "image")]


def test_of_several_none_is_taken_and_all_are_named() -> None:
    with pytest.raises(WireError) as error:
        found(Choice(None, None), TWO)
    assert str(error.value) == (
        "2 arrays could be the image; say which in the URL with ?source=NAME&key=KEY: "
        "source STEM/BF key image (6 x 5 float32); "
        "source STEM/HAADF key image (6 x 5 float32)"
    )


@pytest.mark.parametrize(
    ("source", "key", "name"),
    [
        ("STEM/BF", None, ("STEM/BF", "image")),
        ("STEM/HAADF", "line", ("STEM/HAADF", "line")),
        (None, "line", ("STEM/HAADF", "line")),
    ],
)
def test_what_is_said_is_taken(
    source: str | None, key: str | None, name: tuple[str, str]
) -> None:
    assert found(Choice(source, key), TWO) == [name]


@pytest.mark.parametrize(
    ("source", "key"), [("STEM/DF", "image"), ("STEM/BF", "line"), (None, "x")]
)
def test_what_is_not_there_is_refused_with_what_is(
    source: str | None, key: str
) -> None:
    with pytest.raises(WireError, match="source STEM/HAADF key line"):
        found(Choice(source, key), TWO)


def test_a_train_without_arrays_is_refused_with_its_sources() -> None:
    with pytest.raises(WireError, match="values of STEM/XGM, and no arrays"):
        found(Choice(None, None), train(STEM_XGM={"flux": 1.5}))


def test_once_found_it_stays_whatever_else_comes() -> None:
    one = train(STEM_HAADF={"image": FLAT})
    assert found(Choice(None, None), one, TWO) == 2 * [("STEM/HAADF", "image")]
    choice = Choice(None, None)
    found(choice, one)
    with pytest.raises(WireError, match="without source STEM/HAADF key image"):
        found(choice, train(STEM_BF={"image": FLAT}))


def test_a_session_that_goes_on_knows_which_it_was() -> None:
    known = [("STEM/BF", "image"), ("STEM/OLD", "image")]
    assert found(Choice(None, None, known), TWO) == [("STEM/BF", "image")]


def test_a_message_about_very_many_arrays_is_short() -> None:
    many = train(STEM_HAADF={200 * "k" + str(i): FLAT for i in range(100)})
    with pytest.raises(WireError, match="and 92 more") as error:
        found(Choice(None, None), many)
    assert len(str(error.value)) < 2000
