"""What Bokeh calls when a browser opens the page."""

from collections.abc import Callable
from pathlib import Path

from bokeh.document import Document
from bokeh.models import Column, CustomJS, Spacer
from bokeh.server.contexts import BokehSessionContext

from dashboard.archive import Archive
from dashboard.bookmark import Bookmark, bookmark
from dashboard.drawing import PLACES
from dashboard.figures.style import light_colours, theme
from dashboard.hub import Hub
from dashboard.page import Page
from dashboard.state import PageState
from dashboard.together import send_together
from streamer.analysis import FRAME_BUDGET_S

CHECK_MS = 2_000
"""How often to look whether a browser that was busy is still busy."""

ASSETS = Path(__file__).with_name("assets")

# Bokeh runs this from a blob, which has no place that imports could be relative to.
ENTRY = """
const page = import(new URL("assets/page.mjs", document.baseURI))
export default async ({state}) => (await page).start(state)
"""


def document_maker(
    hub: Hub, stale_after_s: float, archive: Archive | None
) -> Callable[[Document], None]:
    """A function that makes each new browser session a page of `hub`.

    Parameters
    ----------
    hub
        What the pages show.
    stale_after_s
        Age of the last frame from which on the page says that there is no data.
    archive
        Where frames are that have left the memory; None if they are gone.
    """

    def make_document(doc: Document) -> None:
        make_page(doc, hub, stale_after_s, archive)

    return make_document


def make_page(
    doc: Document, hub: Hub, stale_after_s: float, archive: Archive | None
) -> None:
    """Fill `doc`, and keep it up to date until its session is destroyed."""
    state = PageState(name="state", stale_after_s=stale_after_s, light=light_colours())
    places = {name: empty_place(name) for name in PLACES}
    visitor = None if archive is None else archive.visitor()
    page = Page(hub, state, places, asked_for(doc), visitor)
    page.refresh()
    doc.title = "atomstream"
    # The page says so itself, and nothing of it is covered.
    doc.config.notify_connection_status = False
    doc.theme = theme()
    doc.template_variables["budget_s"] = FRAME_BUDGET_S
    doc.template_variables["may_log_out"] = may_log_out(doc)
    page_html = (ASSETS / "page.html").read_text(encoding="utf-8")
    # Bokeh takes a string for blocks of its own template, and does not say so.
    doc.template = page_html  # type: ignore[assignment]
    with doc.models.freeze():  # Bokeh would go through all models for each root
        for root in (state, *places.values()):
            doc.add_root(root)
    wake = keep_up_to_date(doc, hub, page, state)
    if visitor is not None:
        visitor.listen(wake)


def asked_for(doc: Document) -> Bookmark:
    """What the address asks for with which a browser opened `doc`."""
    context = doc.session_context
    if not isinstance(context, BokehSessionContext) or context.request is None:
        return Bookmark()
    return bookmark(context.request.arguments)


def may_log_out(doc: Document) -> bool:
    """Whether whoever opened `doc` had to log in."""
    context = doc.session_context
    return isinstance(context, BokehSessionContext) and context.logout_url is not None


def empty_place(name: str) -> Column:
    """Where figures will go."""
    return Column(name=name, children=[Spacer()], sizing_mode="stretch_both")


def keep_up_to_date(
    doc: Document, hub: Hub, page: Page, state: PageState
) -> Callable[[], None]:
    """Connect the hub and the browser to `page`; returns what has it look for news."""
    # Callable from the feed's thread; many calls before it runs are one.
    wake = doc.locked_callback(page.refresh, policy="latest")
    doc.add_next_tick_callback(lambda: send_together(doc))
    leave = hub.listen(wake)
    doc.on_session_destroyed(lambda _context: leave())
    doc.add_periodic_callback(page.refresh, CHECK_MS)
    state.on_change("painted", lambda _attr, _old, number: page.painted(number))
    state.on_change("wish", lambda _attr, _old, wish: page.grant(wish))
    doc.js_on_event(
        "document_ready", CustomJS(args={"state": state}, code=ENTRY, module=True)
    )
    return wake
