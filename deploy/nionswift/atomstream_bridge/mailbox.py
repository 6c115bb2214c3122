"""What the thread that receives hands over to the one that shows: the newest alone."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Condition

from streamer.analysis import Analysis
from streamer.frame import Stream

MAX_CHANNELS = 16
"""Each has a data item of its own in the user's project."""
MAX_JOINED = 1024
"""Streams kept in mind that have been heard of and have sent nothing yet."""

Channel = tuple[str, str]
"""Source and name of a detector signal."""


def channel_of(stream: Stream) -> Channel:
    """What has one data item, however often it is started."""
    return stream.source, stream.channel


@dataclass(slots=True)
class Mailbox:
    """Keeps, of each channel, the newest analysis that nobody has fetched."""

    passed_over: int = 0
    """Analyses that were never fetched: a newer one came."""
    refused: int = 0
    """Analyses of more channels than there may be."""
    _waiting: OrderedDict[Channel, Analysis] = field(default_factory=OrderedDict)
    _newest_run: dict[Channel, str] = field(default_factory=dict)
    _joined: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _changed: Condition = field(default_factory=Condition)
    _is_closed: bool = False

    def join(self, stream: Stream) -> None:
        """A run was heard of; of a service's older ones nothing is shown."""
        channel = channel_of(stream)
        with self._changed:
            if channel in self._newest_run or len(self._newest_run) < MAX_CHANNELS:
                self._newest_run[channel] = stream.id
            self._joined[stream.id] = None
            if len(self._joined) > MAX_JOINED:
                self._joined.popitem(last=False)

    def put(self, analysis: Analysis) -> None:
        """Have it wait, instead of an older one of its channel."""
        stream = analysis.stream
        channel = channel_of(stream)
        with self._changed:
            if channel not in self._newest_run:
                self.refused += 1
                return
            is_first = stream.id in self._joined
            self._joined.pop(stream.id, None)
            # The first of a run may be the last of one that is over. Another run goes
            # on only where a recording had interrupted it.
            if is_first and self._newest_run[channel] != stream.id:
                return
            self.passed_over += channel in self._waiting
            self._waiting[channel] = analysis
            self._changed.notify()

    def take(self) -> Analysis | None:
        """What has waited longest, as soon as there is something; None: closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if self._is_closed:
                return None
            return self._waiting.popitem(last=False)[1]

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
