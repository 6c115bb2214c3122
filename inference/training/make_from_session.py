"""An encoder from a recorded session, without any truth, as the paper made its own."""

from inference.card import Card
from inference.training.base_model import BaseModel
from inference.training.bench import Bench
from inference.training.copying import copy_dcnn
from inference.training.kinds import KINDS
from inference.training.make import model_name
from inference.training.pin import pin_crystallinity
from inference.training.session_set import (
    SessionSource,
    SessionSubImages,
    streams_of,
    subimages_of_session,
)
from inference.training.subimage_set import Sight
from inference.training.unfinished import Plan, Unfinished, writable
from inference.training.wish import EncoderWish


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
        data = _of_session(source, base.sight(wish.kind), bench, held)
        fit = kind.fit(data.learnt, wish.recipe, bench.device)
        seconds = bench.fit("rvae", fit, wish.recipe.steps, held)
        with writable(bench.folder):
            encoder = kind.export(fit, bench.folder)
            encoder, pin = pin_crystallinity(bench.folder, encoder, kind.found, data)
            provenance = bench.provenance(plan, seconds)
            model = Card(
                name=model_name(bench.folder),
                dcnn=copy_dcnn(base.model.card, base.folder, bench.folder),
                encoder=encoder,
                provenance={**provenance, "crystallinity": pin.as_json},
                accuracy={},
                limits=(*base.model.card.limits, pin.in_words),
            )
        bench.finish(model)


def _of_session(
    source: SessionSource, sight: Sight, bench: Bench, held: Unfinished
) -> SessionSubImages:
    with bench.stage("cutting sub-images") as report:
        arrays = held.arrays(
            "session", lambda: subimages_of_session(source, sight, report)
        )
    return SessionSubImages(**arrays)
