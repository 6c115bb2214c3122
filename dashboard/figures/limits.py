"""Limits of the alert rules, as thin lines in the plots that they belong to."""

from collections.abc import Mapping

from bokeh.models import Column, LayoutDOM, Plot
from bokeh.models.annotations import Span

from dashboard.alert_rules import AlertRules
from dashboard.figures.series import LINES

COLOUR = "#ff5c5c"


def limits(rules: AlertRules) -> Mapping[str, float | None]:
    """Limit by the column that it is about."""
    return {
        "mean_crystallinity": rules.crystallinity_below,
        "hole_area_nm2": rules.hole_area_above_nm2,
        "Si": rules.silicon_below,
    }


def draw_limits(stack: LayoutDOM, rules: AlertRules) -> None:
    """Draw them in the plots of `LINES`, which do not stretch to show them."""
    if not isinstance(stack, Column):
        return
    known = limits(rules)
    for plot, line in zip(stack.children, LINES, strict=True):
        limit = known.get(line.column)
        if limit is not None and isinstance(plot, Plot):
            plot.add_layout(limit_line(limit))


def limit_line(limit: float) -> Span:
    """A horizontal line."""
    return Span(
        location=limit,
        dimension="width",
        line_color=COLOUR,
        line_dash="dashed",
        line_alpha=0.8,
    )
