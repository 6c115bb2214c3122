"""What may stand in a file of settings, and what is said of what may not.

Each key is an option of `atomstream serve`, with `_` for `-`; what is not in the file
is as the environment, or else the option's default has it. Tables are about other
things.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
)

from atomstream import retention
from atomstream.engines import EngineKind
from atomstream.logs import LogFormat, LogLevel
from atomstream.retention import Retention
from dashboard import alert_rules
from dashboard.alert_rules import AlertRules
from dashboard.toml_file import nearest, read_toml
from inference.device import Device
from streamer.errors import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

RULES = "alerts"
"""Table of the rules of what the page alerts of."""
RETENTION = "retention"
"""Table of the quotas of sessions."""
TABLES = {RULES: alert_rules.problem, RETENTION: retention.problem}
"""All else are options of a service; and what is said of what is wrong there."""
SECRET = (
    "a password stands in a file that is nobody else's to read; "
    "name it with {password_file}"
)


def one_or_more(value: object) -> object:
    """A text alone stands for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def beside(value: object, info: ValidationInfo) -> object:
    """The path that is meant: relative ones start from the file's own folder."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise ValueError("expected a path")
    try:
        return folder_of(info) / Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def name_or_beside(value: object, info: ValidationInfo) -> object:
    """A name as it is; with a slash in it, it is a path."""
    is_path = isinstance(value, str) and "/" in value
    return str(beside(value, info)) if is_path else value


def folder_of(info: ValidationInfo) -> Path:
    """Folder of the file that is read."""
    file: Path = (info.context or {})["file"]
    return file.absolute().parent


type Text = Annotated[str, Field(min_length=1)]
type Texts = Annotated[tuple[Text, ...], BeforeValidator(one_or_more)]
type Named = Annotated[Text, BeforeValidator(name_or_beside)]
type Nameds = Annotated[tuple[Named, ...], BeforeValidator(one_or_more)]
type File = Annotated[Path, BeforeValidator(beside)]
type Form = Annotated[LogFormat, Field(strict=False)]
type Level = Annotated[LogLevel, Field(strict=False)]
type Kind = Annotated[EngineKind, Field(strict=False)]
type Processor = Annotated[Device, Field(strict=False)]


class SettingsFile(BaseModel):
    """What a file says; None where it says nothing."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    connect: Texts | None = Field(None, examples=[["tcp://127.0.0.1:5555"]])
    """Addresses of the sources of frames. Needed by `serve`."""
    record: File | None = Field(None, examples=["sessions/today"])
    """Session folder. Needed by `serve`."""
    publish: Text | None = None
    """Address at which analyses are sent."""

    dashboard: Text | None = Field(None, examples=["127.0.0.1:5006"])
    """Where the page is served."""
    password_file: File | None = Field(None, examples=["page.password"])
    """Whose only line the page asks for; nobody else may read it (mode 0600). Needed
    where other computers can reach the page."""
    tls_cert: File | None = Field(None, examples=["page.crt"])
    """Certificate (PEM) to encrypt the page with."""
    tls_key: File | None = Field(None, examples=["page.key"])
    """Its key (PEM, no passphrase)."""
    allow_origin: Texts | None = Field(None, examples=[["microscope.lab:443"]])
    """Other names of the page in browsers, as behind a proxy."""

    metrics: Text | None = Field(None, examples=["127.0.0.1:9464"])
    """Where metrics are served, for Prometheus; without HOST for this computer
    alone."""

    model: Named | None = None
    """A shipped model, or a model's folder."""
    pixel_size: Annotated[float, Field(ge=1e-4, le=1)] | None = Field(
        None, examples=[0.0156]
    )
    """Side of a pixel, nm, instead of the calibration in the data."""
    estimate_pixel_size: bool | None = None
    """Take the pixel size from each frame's own lattice, whatever the data say."""
    refine: bool | None = None
    """Measure positions by a fit to the frame, with uncertainties."""
    threads: Annotated[int, Field(ge=1, le=64)] | None = Field(None, examples=[2])
    """Threads that analyse a frame, on each worker too; by default all cores but one,
    both of two, at most 8."""
    device: Processor | None = None
    """Where the networks run: auto, cpu or cuda; auto: CUDA if it works, else CPU."""
    engine: Kind | None = None
    """Analyse here (local), or on the workers of a Dask cluster (dask)."""
    scheduler: Text | None = Field(None, examples=["tcp://127.0.0.1:8786"])
    """Address of the Dask cluster."""
    until_end: bool | None = None
    """Stop when all streams have ended."""

    keys: File | None = Field(None, examples=["keys"])
    """Folder of this computer's keys; by default this user's."""
    server_key: Nameds | None = Field(None, examples=[["./microscope.key"]])
    """Public keys of the sources, or files of them (with a slash, as
    "./microscope.key"): once for all, or once for each of `connect`."""
    secure: bool | None = None
    """Publish with keys on this computer too; beyond it that is the default."""
    insecure: bool | None = None
    """Do without protection beyond this computer: without keys, a page without a
    password, and metrics for everybody."""

    log_format: Form | None = None
    """How lines of the log are written: text, or json, an object a line."""
    log_level: Level | None = None
    """From which weight on they are: debug, info, warning or error."""

    alerts: Annotated[AlertRules, Field(strict=False)] | None = None
    """Rules of what the page alerts of."""
    retention: Annotated[Retention, Field(strict=False)] | None = None
    """Quotas of `sessions prune`."""

    _path: Path = PrivateAttr()

    def model_post_init(self, context: Mapping[str, Path], /) -> None:
        """Remember which file this is."""
        self._path = context["file"]

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @classmethod
    def read(cls, path: Path) -> Self:
        """What the file at `path` says.

        Raises
        ------
        SettingsError
            It cannot be read, is no TOML, names what is no setting, or gives a value
            that makes no sense.
        """
        values = read_toml(path, "the settings")
        try:
            return cls.model_validate(values, context={"file": path})
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            raise SettingsError(f"{path}: {problem(wrong)}") from error

    def options(self) -> dict[str, object]:
        """What it says of each option, as JSON has it."""
        return self.model_dump(mode="json", exclude_none=True, exclude={*TABLES})


def problem(wrong: "ErrorDetails") -> str:
    """What is wrong in a file, and what may be meant."""
    key = str(wrong["loc"][0]) if wrong["loc"] else "it"
    if key in TABLES and len(wrong["loc"]) > 1:
        inner = wrong.copy()
        inner["loc"] = wrong["loc"][1:]
        return f"[{key}] {TABLES[key](inner)}"
    if key == "password":
        return SECRET.format(password_file="password_file")
    if wrong["type"] == "extra_forbidden":
        return f"{key!r:.80} is no setting{nearest(key, SettingsFile.model_fields)}"
    said = wrong["msg"].removeprefix("Value error, ")
    return f"{key}: {wrong['input']!r:.80}: {said}"
