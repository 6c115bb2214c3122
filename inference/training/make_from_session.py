"""An encoder from a recorded session, without any truth, as the paper made its own."""

from pathlib import Path

from inference.card import Card
from inference.training.base_model import BaseModel
from inference.training.bench import Bench
from inference.training.copying import copy_dcnn
from inference.training.export import ExportedEncoder
from inference.training.kinds import KINDS
from inference.training.make import model_name
from inference.training.pin import ORDER, held_out_rho, pin_crystallinity
from inference.training.session_set import (
    SessionSource,
    SessionSubImages,
    streams_of,
    subimages_of_session,
)
from inference.training.subimage_set import Sight
from inference.training.unfinished import Plan, Unfinished, readable, writable
from inference.training.wish import EncoderWish

READ = (
    "The encoder was trained on one session, without any truth: its crystallinity is "
    "that of its content latents which follows the {order} best, with a rank "
    "correlation of {rho:.2f} on sub-images that were held out."
)


def train_encoder_on_session(
    wish: EncoderWish, source: SessionSource, base: BaseModel, bench: Bench
) -> None:
    """A new encoder, trained on what the network of `base` sees in a session.

    Raises
    ------
    SessionError
        No session, or one in which there is too little to learn from.
    Stopped, ModelError
        As for `train_all`.
    """
    kind = KINDS[wish.kind]
    wish = EncoderWish(wish.kind, kind.untold(wish.recipe))
    plan: Plan = {
        "trains": "rvae --from",
        "training_data": "a recorded session",
        "streams": [*streams_of(source.folder)],
        "fraction": source.fraction,
        "base": base.facts,
        **wish.plan,
    }
    with bench.begin(plan) as held:
        data = _of_session(source, base.sight(wish), bench, held)
        fit = kind.fit(data.learnt, wish.recipe, bench.device)
        seconds = bench.fit("rvae", fit, wish.recipe.steps, held)
        with writable(bench.folder):
            encoder = kind.export(fit, bench.folder)
            encoder = _told_order(bench.folder, encoder, kind.found, data)
            model = Card(
                name=model_name(bench.folder),
                dcnn=copy_dcnn(base.model.card, base.folder, bench.folder),
                encoder=encoder.card,
                provenance={**bench.provenance(plan, seconds), **encoder.provenance},
                accuracy={},
                limits=(*base.model.card.limits, *encoder.limits),
            )
        bench.finish(model)


def _told_order(
    folder: Path,
    encoder: ExportedEncoder,
    found: tuple[str, ...],
    data: SessionSubImages,
) -> ExportedEncoder:
    """The encoder with a crystallinity, and how well that follows order."""
    card, facts, words = encoder.card, encoder.provenance, encoder.limits
    if found:
        card, pin = pin_crystallinity(folder, card, found, data)
        facts = {**facts, "crystallinity": pin.as_json}
        return ExportedEncoder(card, facts, (*words, pin.in_words))
    rho = held_out_rho(folder, card, data)
    facts = {
        **facts,
        "crystallinity": {"order_parameter": ORDER, "held_out_rho": round(rho, 4)},
    }
    return ExportedEncoder(card, facts, (*words, READ.format(order=ORDER, rho=rho)))


def _of_session(
    source: SessionSource, sight: Sight, bench: Bench, held: Unfinished
) -> SessionSubImages:
    with bench.stage("cutting sub-images") as report:
        arrays = held.arrays(
            "session", lambda: subimages_of_session(source, sight, report)
        )
    with readable(held.path("session")):
        return SessionSubImages(**arrays)
