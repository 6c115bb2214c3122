"""What is done to Nion Swift's document, by its Facade; on its own thread alone."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .picture import Mark, Picture

OURS = "atomstream"
"""What the metadata are called, and our graphics; the user's own are left alone."""


def show(api: Any, library: Any, picture: Picture) -> None:
    """Have the channel's data item of a project show `picture`; made if there is none.

    Nion Swift keeps the key of the data item in the project, and forgets it when the
    user deletes the item. So it is found again after a restart, and made again, as
    Nion Swift does with what is scanned live, with the next frame.
    """
    with written_once(library):
        item = library.get_data_item_for_reference_key(
            picture.key, create_if_needed=True
        )
        former = item.xdata
        item.xdata = api.create_data_and_metadata(
            picture.image if picture.values else picture.image[..., ::-1].copy(),
            intensity_calibration=_intensity(api, picture),
            dimensional_calibrations=_dimensions(api, picture),
            metadata={OURS: {**picture.metadata, "title": picture.title}},
        )
        if former is None or item.title == former.metadata.get(OURS, {}).get("title"):
            item.title = picture.title
        mark(item, picture.marks)


def mark(item: Any, marks: tuple[Mark, ...]) -> None:
    """Have exactly these points at atoms; those of before are moved.

    Each change of a point has Nion Swift look at all of them.
    """
    display = item.display
    ours = [each for each in display.graphics if each.graphic_id == OURS]
    for graphic, each in zip(ours, marks, strict=False):
        if tuple(graphic.position) != (each.y, each.x):
            graphic.position = each.y, each.x
        if graphic.get_property("stroke_color") != each.colour:
            graphic.set_property("stroke_color", each.colour)
    for graphic in ours[len(marks) :]:
        item.remove_region(graphic)
    for each in marks[len(ours) :]:
        display.add_graphic(
            {
                "type": "point-graphic",
                "graphic_id": OURS,
                "position": (each.y, each.x),
                "stroke_color": each.colour,
                "is_position_locked": True,
            }
        )


def written_once(library: Any) -> AbstractContextManager[object]:
    """Have Nion Swift write its project once, not after every graphic.

    That is not part of its Facade; without it, it takes longer.
    """
    transaction = getattr(library._document_model, "transaction_context", None)  # noqa: SLF001
    return nullcontext() if transaction is None else transaction()


def _intensity(api: Any, picture: Picture) -> Any:
    offset, scale = picture.values or (0.0, 1.0)
    return api.create_calibration(offset, scale, "")


def _dimensions(api: Any, picture: Picture) -> list[Any]:
    placing = picture.placing
    return [
        api.create_calibration(offset, placing.scale, placing.units)
        for offset in placing.offsets
    ]
