"""When a viewer is to be alerted: settings, read from a TOML file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dashboard.toml_file import nearest, read_toml
from streamer.analysis import FRAME_BUDGET_S, Flag
from streamer.errors import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_FRAMES = 1000
"""That a rule may look back."""

NOTICE, STOPPED = "notice", "stopped"
ALWAYS = (NOTICE, STOPPED)
"""Rules without a setting: what a service says by itself, and that nothing comes to
the page any more."""

FRAMES = ("frames_in_a_row", "hole_growth_frames", "carbon_loss_frames")
"""Settings that are no rules, but say of how many frames one is."""


def off_is_none(value: object) -> object:
    """TOML has no null: `false` switches a rule off."""
    return None if value is False else value


type Limit = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False)] | None,
    BeforeValidator(off_is_none),
]
type Level = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | None, BeforeValidator(off_is_none)
]
type Frames = Annotated[int, Field(ge=1, le=MOST_FRAMES)]
type Named = Annotated[Flag, Field(strict=False)]


class AlertRules(BaseModel):
    """The rules; one that is None, or not true, never alerts.

    What is said of frames must hold for `frames_in_a_row` of them until an alert
    begins, and no longer hold for as many until it ends. Frames that were not analysed
    as a whole (`partial`, for instance) say nothing of the sample and are passed over.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    frames_in_a_row: Frames = 3
    """Frames: before an alert about frames begins, and before it ends."""

    crystallinity_below: Level = None
    """Mean crystallinity of a frame, in the model's own scale."""
    hole_area_above_nm2: Limit = None
    """Area without atoms, nm²."""
    hole_growth_above_nm2_per_min: Limit = None
    """How fast that area grows, nm²/min: slope over `hole_growth_frames`."""
    hole_growth_frames: Annotated[Frames, Field(ge=2)] = 10
    """Frames over which the growth is measured."""
    silicon_below: Limit = None
    """Si atoms in a frame, once there have been as many: with 1, all have left."""
    carbon_loss_above_percent: Limit = None
    """By how much the count of C has fallen, %, within `carbon_loss_frames`."""
    carbon_loss_frames: Annotated[Frames, Field(ge=2)] = 10
    """Frames within which the loss is measured."""
    flags: tuple[Named, ...] = Field((), strict=False)
    """Flags of frames, as `blurred` or `no-atoms`."""

    latency_above_s: Limit = FRAME_BUDGET_S
    """From the arrival of a frame to its analysis, s."""
    backlog_above_frames: Limit = 10
    """Frames that wait to be analysed; ends when there are half as many."""
    no_frame_for_s: Annotated[
        Annotated[float, Field(gt=0, allow_inf_nan=False)] | None,
        BeforeValidator(off_is_none),
    ] = 2 * FRAME_BUDGET_S
    """Since the last frame, s, while the stream has not ended."""
    not_recording: bool = True
    """Whether a service that cannot record is alerted of."""
    disk_below_gb: Limit = 10
    """Free on the session's disk, GB (10⁹ bytes); ends at 1.1 times as much."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the rules that can alert, as alerts say it."""
        settings = self.model_dump(exclude={"flags", *FRAMES})
        on = (name for name, limit in settings.items() if limit not in (None, False))
        return (*on, *(flag_rule(flag) for flag in self.flags), *ALWAYS)


def flag_rule(flag: Flag) -> str:
    """Name of the rule about a flag."""
    return f"flags {flag}"


def read_rules(path: Path) -> AlertRules:
    """The rules of a TOML file; what it does not name is as it is by default.

    Raises
    ------
    SettingsError
        It cannot be read, is no TOML, names what is no rule, or gives a value that
        makes no sense.
    """
    values = read_toml(path, "the rules")
    try:
        return parse_rules(values)
    except ValidationError as error:
        raise SettingsError(
            f"{path}: {problem(error.errors(include_url=False)[0])}"
        ) from error


def parse_rules(values: object) -> AlertRules:
    """Rules of what a TOML file holds.

    Raises
    ------
    ValidationError
        Of pydantic.
    """
    return AlertRules.model_validate(values)


def problem(wrong: "ErrorDetails") -> str:
    """What is wrong with a rule, and what may be meant."""
    key = str(wrong["loc"][0]) if wrong["loc"] else "it"
    if wrong["type"] == "extra_forbidden":
        return f"{key!r:.80} is no rule{nearest(key, AlertRules.model_fields)}"
    value = wrong["input"]
    if wrong["type"] == "enum":
        return f"{key}: {value!r:.80} is no flag{nearest(str(value), Flag)}"
    return f"{key}: {value!r:.80}: {wrong['msg']}"
