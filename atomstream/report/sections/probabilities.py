"""Frame, probabilities, atoms of the chosen frames."""

from collections.abc import Iterator

import pyarrow as pa

from atomstream.report.figure import Drawn, Progress, Remark, Section, Wish
from atomstream.report.figures.probabilities import probabilities
from atomstream.report.material import Material
from atomstream.report.views import detail_of, lies_in, view_of, when
from streamer.session.records import AnalysisRecord


def draw(
    material: Material, _wish: Wish, progress: Progress
) -> Iterator[Drawn | Remark]:
    """One figure for each chosen frame."""
    box = None
    for number, record in enumerate(material.chosen):
        view = view_of(material, record, maps=True)
        own = detail_of(view)
        # The same part of every frame, so that they compare, where it has that.
        box = box or own
        detail = box if own and box and lies_in(box, view) else own
        seq = record.frame.seq
        yield Drawn(
            name=f"probabilities-{seq:06d}",
            title=f"Frame {seq}: what the network sees",
            caption=_caption(material, record, detailed=detail is not None),
            figure=probabilities(view, detail),
            tables={f"atoms-{seq:06d}": _atoms(material, record)},
        )
        if view.carbon is None:
            yield Remark(why_no_maps(material, record))
        progress(number + 1, len(material.chosen))


def why_no_maps(material: Material, record: AnalysisRecord) -> str:
    """Why probabilities of a frame cannot be shown."""
    seq, model = record.frame.seq, record.model
    if model.sha256 not in material.models:
        return (
            f"Frame {seq}: the files of {model.name} (SHA-256 {model.sha256[:12]}…) "
            "are not here, so probabilities cannot be computed again; --model DIR "
            "names their folder."
        )
    flags = ", ".join(record.flags) or "none"
    return f"Frame {seq} was not seen by the network; its flags: {flags}."


def _caption(material: Material, record: AnalysisRecord, *, detailed: bool) -> str:
    counts = record.summary.counts
    found = " and ".join(f"{count} {name}" for name, count in counts.items())
    dashed = " Below, the dashed square." if detailed else ""
    here = material.models.get(record.model.sha256)
    threshold = (
        f", atoms are its peaks from {here.model.card.dcnn.threshold:g} on"
        if here
        else ""
    )
    return (
        f"{when(record).capitalize()}. Left: the frame, black and white at the 0.5th "
        "and 99.5th percentile of its pixels. Middle: probability of C (blue) and Si "
        "(orange) at each pixel, by the model's network run again on the stored frame"
        f"{threshold}. Right: the atoms in the session, {found}.{dashed}"
    )


def _atoms(material: Material, record: AnalysisRecord) -> pa.Table:
    return material.session.atoms_table(record.frame.stream_id, record.frame.seq)


SECTION = Section("probabilities", "Frame, probabilities, atoms", draw)
