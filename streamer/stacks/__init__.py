"""Recorded stacks as frames, whatever program wrote them."""

from streamer.stacks.opening import open_stack
from streamer.stacks.stack import Stack
from streamer.stacks.tiff_writer import write_tiff_stack

__all__ = ["Stack", "open_stack", "write_tiff_stack"]
