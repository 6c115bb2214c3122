"""What a page and its server tell each other beside figures."""

from bokeh.core.properties import (
    Bool,
    Dict,
    Either,
    Float,
    Instance,
    Int,
    List,
    Nullable,
    String,
)
from bokeh.model import DataModel
from bokeh.models import Plot

from dashboard.timeline import Timeline


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
    age_s = Nullable(Float)
    """Since the last frame arrived, when this was sent; None if none is awaited."""
    first = Int(default=0)
    """Oldest frame that can be shown."""
    last = Int(default=0)
    """Newest frame that can be shown."""
    shown = Int(default=0)
    """Frame that is shown."""
    following = Bool(default=True)
    """Whether that is always the newest."""
    channels = List(String)
    channel = String(default="")
    plots = List(Instance(Plot))
    """All figures; they wait from `sending` to `sent`, to be painted once."""
    timeline = Instance(Timeline)
    """The plots over time."""
    sending = Int(default=0)
    """Number of the update; assigned first."""
    sent = Int(default=0)
    """Number of the update; assigned last, when all of it is on its way."""

    # From the browser.
    painted = Int(default=0)
    """The last update that was painted."""
    wish = Dict(String, Either(String, Int))
    """What the viewer wants: a verb, its object, and a number that is new each time."""
