"""Colours and type of all figures; `assets/page.css` uses the same."""

import numpy as np
from bokeh.themes import Theme

from dashboard.figures.palettes import palette

NOTHING = "#00000000"
"""Transparent."""
PANEL = "#12171f"
"""Behind each figure."""
CANVAS = "#0b0f14"
"""Behind the data."""
INK = "#c9d3df"
MUTED = "#7d8b9b"
LINE = "#222b36"
ACCENT = "#56c7e8"
SPECIES_COLOURS = ("#56c7e8", "#ffb347")
"""C, Si."""
DOT_RADII_NM = (0.022, 0.06)
"""C, Si on the live frame: seen from afar, the image shines through."""
DISC_RADII_NM = (0.082, 0.11)
"""C, Si in the maps: neighbours touch."""
SPECIES_RIMS = (NOTHING, "#ffffff")
"""C, Si in the maps."""
NO_VALUE = "#39434f"
"""An atom whose angle or latent is NaN."""
CURSOR = "#f2f5f8"
ON_FRAME, BEHIND_ON_FRAME = "#f2f5f9", "#0b0f15"
"""What is written on the frame, which is as dark in the light theme."""
SERIES_COLOURS = ("#e5738a", "#b48ef0", "#7fd1a5")
"""Hole area, crystallinity, lattice."""
SELECTED = "#ffb347"
"""Atoms in a viewer's region, where they have no colour of their own."""
FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def cyclic_palette() -> list[str]:
    """256 colours that end where they begin, of even lightness: for angles.

    Peter Kovesi's CET-C6 ("colorwheel"), https://arxiv.org/abs/1509.03700.
    """
    return list(palette("cyclic_rygcbmr_50_90_c64"))


def sequential_palette() -> list[str]:
    """256 colours from dark to light: for order."""
    return list(palette("linear_bmy_10_95_c71"))


def density_palette() -> list[str]:
    """256 colours from the canvas to light: for how many atoms have a value."""
    return blended(["#0b0f14", "#123a52", "#1d7896", "#56c7e8", "#e9f7fb"])


def blended(ends: list[str]) -> list[str]:
    """256 colours, evenly from each of `ends` to the next."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in ends]) / 255
    steps, known = np.linspace(0, 1, 256), np.linspace(0, 1, len(ends))
    return hexadecimal(np.column_stack([np.interp(steps, known, c) for c in rgb.T]))


def dim_palette() -> list[str]:
    """256 greys from the canvas to half bright: for what lies behind the data."""
    ends = np.array([[11, 15, 20], [140, 150, 162]]) / 255
    return hexadecimal(ends[0] + np.linspace(0, 1, 256)[:, None] * (ends[1] - ends[0]))


def veil_palette() -> list[str]:
    """256 colours like `density_palette`, at first so thin that one sees through."""
    thickness = np.round(255 * np.linspace(0, 0.8, 256)).astype(int)
    return [
        f"{colour}{alpha:02x}"
        for colour, alpha in zip(density_palette(), thickness, strict=True)
    ]


def hexadecimal(colours: object) -> list[str]:
    """Colours as "#rrggbb", from rows of red, green and blue in 0..1."""
    rgb = np.round(np.asarray(colours, np.float64) * 255).astype(int)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in rgb]


def light_colours() -> dict[str, str]:
    """What stands for each colour of a figure in the light theme.

    No two have the same, so that the browser can go back; the canvas is the least of
    the density's. Palettes that carry values (greys, angles, order) stay as they are.
    """
    single = {
        PANEL: "#fdfefe",
        INK: "#16202b",
        MUTED: "#526173",
        LINE: "#d5dce4",
        ACCENT: "#0c6f8d",
        SPECIES_COLOURS[1]: "#c26a00",
        SPECIES_RIMS[1]: "#0d141b",
        NO_VALUE: "#b9c2cc",
        CURSOR: "#17212c",
        NOTHING: NOTHING,
        **dict(zip(SERIES_COLOURS, ("#b8304f", "#6b3fc4", "#1f7a4d"), strict=True)),
    }
    paper = blended(["#f3f5f8", "#a5d1e1", "#4f9fbc", "#0b6e8c", "#021c26"])
    density = dict(zip(density_palette(), paper, strict=True))
    return single | density


def theme() -> Theme:
    """The look of plots, axes, colour bars and grids, dark.

    The browser makes them light by itself: see `light_colours`.
    """
    ticks = {"major_tick_line_color": LINE, "minor_tick_line_color": None}
    plot = {
        "background_fill_color": CANVAS,
        "border_fill_color": PANEL,
        "outline_line_color": LINE,
    }
    axis = {
        "axis_line_color": LINE,
        **ticks,
        **writing("axis_label_text"),
        **writing("major_label_text"),
        "axis_label_standoff": 4,
        "major_label_standoff": 4,
        "major_tick_in": 0,
        "major_tick_out": 4,
    }
    colour_bar = {
        **ticks,
        **writing("major_label_text"),
        "background_fill_alpha": 0,
        "bar_line_color": None,
    }
    looks = {
        "Plot": plot,
        "Axis": axis,
        "BaseColorBar": colour_bar,
        "Title": {**writing("text", INK), "standoff": 4},
        "Grid": {"grid_line_color": LINE, "grid_line_alpha": 0.7},
    }
    return Theme(json={"attrs": looks})


def writing(prefix: str, colour: str = MUTED) -> dict[str, str]:
    """How text looks, for the properties of a model that begin with `prefix`."""
    return {
        f"{prefix}_color": colour,
        f"{prefix}_font": FONT,
        f"{prefix}_font_size": "11px",
        f"{prefix}_font_style": "normal",
    }
