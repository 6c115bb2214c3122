"""A model's card for people: a line for each thing that they want to know."""

import hashlib
import math
from collections.abc import Iterator, Mapping

from inference.card import Card, HarmonicsEncoderCard
from streamer.frame import JsonValue

NOMINAL = "nominal dose"
SHOWN = 12
"""Characters of a hash, as everywhere else."""


def card_rows(card: Card, text: bytes) -> Iterator[tuple[str, str]]:
    """What is asked, and what the card says; `text` is what its hash is taken of."""
    dcnn, encoder = card.dcnn, card.encoder
    yield "model", f"{card.name} ({hashlib.sha256(text).hexdigest()[:SHOWN]})"
    yield "frames", f"resampled to {dcnn.pixel_size_nm:g} nm a pixel"
    yield "grey values", f"{dcnn.normalisation} normalisation"
    yield "tells apart", ", ".join(dcnn.classes)
    yield "atoms from", f"a probability of {dcnn.threshold:g}"
    yield "sees around an atom", f"{encoder.window_nm:g} nm, {_by(card)}"
    yield "angle repeats after", f"{math.degrees(encoder.angle_period_rad):g}°"
    yield "latents", ", ".join(encoder.latents)
    drawn = encoder.decoder.latents if encoder.decoder else ()
    yield "can be drawn", ", ".join(drawn) or "none of them"
    yield "files", ", ".join(_files(card))
    yield "trained", " · ".join(_trained(card)) or "the card does not say"
    yield "measured", _measured(card) or "not yet; atomstream evaluate does it"
    for number, limit in enumerate(card.limits):
        yield "limits" if number == 0 else "", limit


def _by(card: Card) -> str:
    if isinstance(card.encoder, HarmonicsEncoderCard):
        return f"as {len(card.encoder.rings_nm)} rings of angular harmonics"
    return f"as a window of {card.encoder.side_px} pixels"


def _files(card: Card) -> Iterator[str]:
    for file, sha256 in card.files.items():
        yield f"{file} ({sha256[:SHOWN]})"


def _trained(card: Card) -> Iterator[str]:
    """What is said in a word or a number of how the networks were made."""
    for what, part in ("DCNN", card.dcnn), ("encoder", card.encoder):
        facts = _plain(part.provenance)
        if facts:
            yield f"{what}: {', '.join(facts)}"


def _plain(provenance: Mapping[str, JsonValue]) -> list[str]:
    return [
        f"{name.replace('_', ' ')} {value}"
        for name, value in provenance.items()
        if isinstance(value, str | int | float) and not name.endswith("sha256")
    ]


def _measured(card: Card) -> str:
    """At the nominal dose; the card has all conditions."""
    frames = card.accuracy.get("frames")
    nominal = frames.get(NOMINAL) if isinstance(frames, dict) else None
    if not isinstance(nominal, dict):
        return ""
    figures = [
        f"{name.replace('_', ' ')} {value:.4g}"
        for name, value in nominal.items()
        if isinstance(value, int | float)
    ]
    return f"{NOMINAL}: {', '.join(figures)}"
