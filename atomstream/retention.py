"""How long sessions are kept, and how many, as a file of settings says it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from atomstream.quotas import age_s, byte_count
from dashboard.toml_file import nearest
from streamer.errors import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def readable(read: Callable[[str], float]) -> Callable[[str], str]:
    """What refuses a text that `read` cannot read."""

    def check(text: str) -> str:
        try:
            read(text)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return text

    return check


class Retention(BaseModel):
    """Quotas of `sessions prune`; None where there is none."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    older_than: Annotated[str, AfterValidator(readable(age_s))] | None = Field(
        None, examples=["30d"]
    )
    """Sessions go to which nothing has come for so long: a number and min, h, d or
    w."""
    keep_bytes: Annotated[str, AfterValidator(readable(byte_count))] | None = Field(
        None, examples=["500GB"]
    )
    """The oldest go until all of a folder have no more together: a number and kB, MB,
    GB or TB."""

    @property
    def older_than_s(self) -> float | None:
        """The age in seconds."""
        return None if self.older_than is None else age_s(self.older_than)

    @property
    def kept_bytes(self) -> int | None:
        """The size in bytes."""
        return None if self.keep_bytes is None else byte_count(self.keep_bytes)


def problem(wrong: "ErrorDetails") -> str:
    """What is wrong with a quota, and what may be meant."""
    key = str(wrong["loc"][0]) if wrong["loc"] else "it"
    if wrong["type"] == "extra_forbidden":
        return f"{key!r:.80} is no quota{nearest(key, Retention.model_fields)}"
    said = wrong["msg"].removeprefix("Value error, ")
    return f"{key}: {wrong['input']!r:.80}: {said}"
