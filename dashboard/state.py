"""What a page and its server tell each other beside figures."""

from bokeh.core.properties import (
    Bool,
    Bytes,
    Dict,
    Either,
    Float,
    Instance,
    Int,
    List,
    Nullable,
    String,
)
from bokeh.model import DataModel, Model
from bokeh.models import Plot

from dashboard.latent_space import LatentSpace
from dashboard.timeline import Timeline
from streamer.analysis import FRAME_BUDGET_S


class PageState(DataModel):
    """Mirrored between the server and one browser; `assets/page.mjs` is its reader."""

    # From the server.
    texts = Dict(String, String)
    """What to write, by id of the element."""
    tones = Dict(String, String)
    """How to colour it, by id of the element."""
    latency_share = Float(default=0)
    """Latency over the time that a frame takes."""
    stale_after_s = Float(default=67)
    """Age from which on the page says that there is no data."""
    stages = Dict(String, Float)
    """Time of each stage of the analysis that is shown, ms, in order."""
    budget_s = Float(default=FRAME_BUDGET_S)
    """Time that a frame takes."""
    alerts = List(Dict(String, String))
    """Those that stand, the newest first: id, tone and words."""
    quiet_s = Nullable(Float)
    """Since a frame was published last, when this was sent; None if none is awaited."""
    waited_s = Float(default=0)
    """From the arrival of that frame at its service until it was published."""
    first = Int(default=0)
    """Oldest frame that can be shown."""
    last = Int(default=0)
    """Newest frame that can be shown."""
    shown = Int(default=0)
    """Frame that is shown."""
    following = Bool(default=True)
    """Whether that is always the newest."""
    scanned = Nullable(Float)
    """Share of the frame's rows that had been scanned; None if that is all of them."""
    seeking = Bool(default=False)
    """Whether what the page's address asks for is still looked for."""
    comparing = Bool(default=False)
    """Whether a frame is taken away from the one that is shown."""
    link = Dict(String, String)
    """What stands in links to this page, beside the frame and the part of it."""
    choices = Dict(String, Either(String, Int))
    """By verb, the wishes that make the viewer's choices; for the browser to begin."""
    channels = List(String)
    channel = String(default="")
    runs = Dict(String, String)
    """All of that channel that can be shown, in order: ids, and what to call them."""
    run = String(default="")
    """Id of the one that is shown."""
    mappable = Dict(String, String)
    """Quantities that the third map can show: columns, and what they are called."""
    mapped = String(default="")
    """The one that it shows."""
    light = Dict(String, String)
    """Each colour of a figure, and what takes its place in the light theme."""
    plots = List(Instance(Plot))
    """All figures; they wait from `sending` to `sent`, to be painted once."""
    handles = Dict(String, Instance(Model))
    """What of the figures the browser changes by itself, by name: it may find a model
    by its own name only when those that it takes the place of are forgotten."""
    timeline = Instance(Timeline)
    """The plots over time."""
    sending = Int(default=0)
    """Number of the update; assigned first."""
    sent = Int(default=0)
    """Number of the update; assigned last, when all of it is on its way."""

    found = Int(default=0)
    """Atoms of the shown frame; more than are drawn where there are very many."""
    latent_space = Nullable(Instance(LatentSpace))
    """What `assets/latent_space.mjs` draws into; None before the first frame."""
    file_name = String(default="")
    """Of the file that comes next."""
    file = Nullable(Bytes)
    """To be saved at once: it is taken back in the same breath."""
    refusal = String(default="")
    """Why a file that was asked for does not come."""

    # From the browser.
    painted = Int(default=0)
    """The last update that was painted."""
    wish = Dict(String, Either(String, Int))
    """What the viewer wants: a verb, its object, and a number that is new each time."""
