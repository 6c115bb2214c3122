"""An encoder from a recorded session, without any truth, as the paper made its own."""

from pathlib import Path

from inference.card import EncoderCard
from inference.training.base_model import BaseModel
from inference.training.bench import Bench
from inference.training.copying import copy_dcnn
from inference.training.export import with_more
from inference.training.kinds import KINDS
from inference.training.make import model_of
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
    facts: Plan = {
        "made_by": "atomstream train rvae --from",
        "training_data": "a recorded session",
        "streams": [*streams_of(source.folder)],
        "fraction": source.fraction,
        "dcnn_sha256": base.model.card.dcnn.sha256,
        **wish.facts,
    }
    plan: Plan = {"trains": "rvae --from", "base": base.facts, **facts}
    with bench.begin(plan) as held:
        data = _of_session(source, base.sight(wish), bench, held)
        fit = kind.fit(data.learnt, wish.recipe, bench.device)
        seconds = bench.fit("rvae", fit, wish.recipe.steps, held)
        with writable(bench.folder):
            encoder = kind.export(fit, bench.folder)
            encoder = _told_order(bench.folder, encoder, kind.found, data)
            encoder = with_more(encoder, bench.provenance(facts, seconds))
            dcnn = copy_dcnn(base.model.card, base.folder, bench.folder)
        bench.finish(model_of(bench.folder, dcnn, encoder))


def _told_order(
    folder: Path,
    card: EncoderCard,
    found: tuple[str, ...],
    data: SessionSubImages,
) -> EncoderCard:
    """The encoder with a crystallinity, and how well that follows order."""
    if found:
        card, pin = pin_crystallinity(folder, card, found, data)
        return with_more(card, {"crystallinity": pin.as_json}, (pin.in_words,))
    rho = held_out_rho(folder, card, data)
    follows: Plan = {"order_parameter": ORDER, "held_out_rho": round(rho, 4)}
    words = READ.format(order=ORDER, rho=rho)
    return with_more(card, {"crystallinity": follows}, (words,))


def _of_session(
    source: SessionSource, sight: Sight, bench: Bench, held: Unfinished
) -> SessionSubImages:
    with bench.stage("cutting sub-images") as report:
        arrays = held.arrays(
            "session", lambda: subimages_of_session(source, sight, report)
        )
    with readable(held.path("session")):
        return SessionSubImages(**arrays)
