"""Ages and sizes as people write them: 30d, 500GB."""

import re

from pydantic import ByteSize, TypeAdapter, ValidationError

from streamer.errors import SettingsError

SECONDS = {"min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
AGE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*(min|h|d|w)")


def age_s(text: str) -> float:
    """Seconds of an age.

    Raises
    ------
    SettingsError
        It is none.
    """
    match = AGE.fullmatch(text.strip())
    if match is None:
        raise SettingsError(
            f"{text!r:.80} is no age; expected a number and min, h, d or w, for "
            "instance 30d"
        )
    return float(match[1]) * SECONDS[match[2]]


def byte_count(text: str) -> int:
    """Bytes of a size; GB is 10⁹ of them, GiB 2³⁰.

    Raises
    ------
    SettingsError
        It is none.
    """
    try:
        return int(TypeAdapter(ByteSize).validate_python(text))
    except (ValidationError, OverflowError) as error:
        raise SettingsError(
            f"{text!r:.80} is no size; expected a number and kB, MB, GB or TB, for "
            "instance 500GB"
        ) from error
