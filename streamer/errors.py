"""Everything that can go wrong and is not a defect of this program.

    AtomstreamError
    ├── FrameError      an image that cannot be a frame
    ├── WireError       a message that does not follow the protocol
    ├── LinkError       an address that cannot be used, a peer that is not there
    ├── StackError      a recorded stack that cannot be read
    ├── SessionError    a session folder that cannot be used
    │   └── StorageError    a disk that takes nothing now: full, gone, read-only
    ├── ModelError      a model folder, card or file that cannot be trusted
    ├── EngineError     a cluster whose workers cannot do what they are asked
    └── SettingsError   an option that makes no sense

A message says what arrived, what was expected and what to do. The command line
prints it as one line and exits with 2; a service records it and goes on.
"""


class AtomstreamError(Exception):
    """Base of all errors that a user can cause and mend."""


class FrameError(AtomstreamError):
    """An image, or what was said about it, cannot be a frame."""


class WireError(AtomstreamError):
    """A message that does not follow the stream protocol."""


class LinkError(AtomstreamError):
    """An address that cannot be bound or connected to."""


class StackError(AtomstreamError):
    """A recorded stack that cannot be read as frames."""


class SessionError(AtomstreamError):
    """A session folder that cannot be created, opened or trusted."""


class StorageError(SessionError):
    """What is to be written to a session cannot be now; try again later."""


class ModelError(AtomstreamError):
    """A model folder, card or file that cannot be trusted."""


class EngineError(AtomstreamError):
    """A cluster whose workers cannot do what they are asked."""


class SettingsError(AtomstreamError):
    """An option, or a combination of options, that makes no sense."""
