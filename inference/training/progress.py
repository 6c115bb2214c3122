"""How training tells how far it has come."""

from collections.abc import Callable

type Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""
