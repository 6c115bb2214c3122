"""The plug-in's second part: what atomstream found, shown in Nion Swift."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .mailbox import MAX_CHANNELS, Mailbox
from .reception import Heeded, Reception
from .remembering import remember, remembered
from .results_settings import ResultsSettings
from .showing import Showing, Shown

log = logging.getLogger(__name__)

CLOSING_S = 2.0
"""How long Nion Swift's end may be kept waiting for threads to end."""


@dataclass(frozen=True, slots=True)
class ResultsState:
    """What the panel shows."""

    settings: ResultsSettings
    heeded: Heeded
    shown: Shown
    passed_over: int
    problem: str
    """Why nothing is shown, or what went wrong last; empty: nothing."""


class Results:
    """Keeps a data item for each channel up to date, if that is wanted.

    Parameters
    ----------
    file
        Where settings are remembered.
    api
        Nion Swift's Facade.
    """

    def __init__(self, file: Path, api: Any) -> None:
        self._file, self._api = file, api
        self.settings, damaged = remembered(file, ResultsSettings())
        self._problem = damaged or ""
        self._at_work: tuple[Mailbox, Reception, Showing] | None = None
        self._open()

    def apply(self, settings: ResultsSettings) -> None:
        """Go on by these settings, and remember them; data items stay."""
        self._shut(0.0)
        self.settings, self._problem = settings, ""
        try:
            remember(self._file, settings)
        except OSError as error:
            self._problem = f"settings are not remembered: {error}"
        self._open()

    def state(self) -> ResultsState:
        """What there is to be seen now."""
        if self._at_work is None:
            return ResultsState(self.settings, Heeded(), Shown(), 0, self._problem)
        mailbox, reception, showing = self._at_work
        heeded, shown = reception.heeded, showing.shown
        too_many = f"more than {MAX_CHANNELS} channels; only the first are shown"
        problems = (
            self._problem, shown.problem, heeded.problem,
            too_many if mailbox.refused else "",
        )  # fmt: skip
        problem = next(filter(None, problems), "")
        return ResultsState(self.settings, heeded, shown, mailbox.passed_over, problem)

    def close(self) -> None:
        """Show nothing more; data items stay in the project."""
        self._shut(CLOSING_S)

    def _open(self) -> None:
        if not self.settings.enabled:
            return
        mailbox = Mailbox()
        showing = Showing(self._api, mailbox, self.settings.view)
        self._at_work = mailbox, Reception(self.settings, mailbox), showing

    def _shut(self, wait_s: float) -> None:
        """Threads end by themselves: Nion Swift's own is not kept waiting for them."""
        if self._at_work is None:
            return
        _, reception, showing = self._at_work
        self._at_work = None
        showing.close(wait_s)
        reception.close(wait_s)
