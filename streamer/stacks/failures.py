"""What goes wrong with somebody's file, said in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer.errors import AtomstreamError, SessionError, StackError
from streamer.session.failures import one_line


@contextmanager
def stack_failures(path: Path) -> Iterator[None]:
    """Block in which whatever is wrong with the file becomes a `StackError`.

    Raises
    ------
    StackError
        No permission, or bytes that are not what they claim to be.
    """
    try:
        yield
    except StackError:
        raise
    except SessionError as error:
        raise StackError(str(error)) from error
    except AtomstreamError as error:
        raise StackError(f"{path.name}: {error}") from error
    except OSError as error:
        reason = one_line(error.strerror or error)
        raise StackError(f"{path} cannot be read: {reason}") from error
    # Each parser has errors of its own for damaged bytes, and no common base of them.
    except Exception as error:
        reason = one_line(error) or type(error).__name__
        raise StackError(f"{path} is damaged or not what it says: {reason}") from error
