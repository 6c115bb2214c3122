"""Which processes of a service go first where they want the same core."""

import os
from typing import Final

ONLOOKERS_NICENESS: Final = 5
"""Of processes that only tell others what was found. Beside an analysis that wants all
cores they still get a quarter of what they ask for."""


def let_others_first() -> None:
    """From now on this process, of those who look on, yields to those who work.

    How long a frame takes must not depend on how many look at it. Windows has no such
    number: there all are equal.
    """
    if hasattr(os, "nice"):
        os.nice(ONLOOKERS_NICENESS)
