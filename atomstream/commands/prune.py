"""`atomstream sessions prune|pin|unpin`: how long sessions are kept, and how many."""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.options import SessionFolder
from atomstream.commands.settings_option import read_settings
from atomstream.quotas import age_s, byte_count
from atomstream.retention import Retention
from atomstream.settings_file import RETENTION, SettingsFile
from atomstream.words import count_in_words, stored_in_words
from streamer.errors import SessionError, SettingsError
from streamer.session.layout import INDEX_NAME
from streamer.session.pins import pin as pin_session
from streamer.session.pins import unpin as unpin_session
from streamer.session.pruning import (
    Due,
    Stored,
    alone_at,
    due,
    folders_of_sessions,
    leftovers,
    remove,
    set_going,
    stored,
    total_bytes,
    why_kept,
)


def prune(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="That holds the sessions.")
    ],
    older_than: Annotated[
        float | None,
        typer.Option(
            "--older-than",
            metavar="AGE",
            parser=age_s,
            help="Remove those to which nothing has come for so long: 30d, 12h, 4w.",
        ),
    ] = None,
    keep_bytes: Annotated[
        int | None,
        typer.Option(
            "--keep-bytes",
            metavar="SIZE",
            parser=byte_count,
            help="Remove the oldest until all have no more together: 500GB, 2TB.",
        ),
    ] = None,
    settings: Annotated[
        SettingsFile | None,
        typer.Option(
            "--settings",
            metavar="FILE.toml",
            parser=read_settings,
            help=f"Take from [{RETENTION}] there what is not given otherwise.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go.")
    ] = False,
) -> None:
    """Remove the oldest sessions of a folder, by age or until the rest is small enough.

    Never removes one that something is at work on, that is pinned (`sessions pin`),
    whose frames wait in memory, or in which somebody else has put files; nor folders
    that are no sessions, nor links. Exits with 1 when something could not be removed,
    or the rest is still too large.

    Examples: atomstream sessions prune runs --older-than 30d --keep-bytes 500GB
    --dry-run,
    atomstream sessions prune runs --settings atomstream.toml
    """
    quotas = (settings and settings.retention) or Retention()
    older_than = quotas.older_than_s if older_than is None else older_than
    keep_bytes = quotas.kept_bytes if keep_bytes is None else keep_bytes
    if older_than is None and keep_bytes is None:
        raise SettingsError(
            "give --older-than AGE, --keep-bytes SIZE or both, or --settings with a "
            f"file that has them in [{RETENTION}]"
        )
    check_parent(folder)
    now_ns = time.time_ns()
    older_than_ns = None if older_than is None else int(older_than * 1e9)
    with nullcontext() if dry_run else alone_at(folder):
        failed = finish(folder, dry_run=dry_run)
        sessions = list(readable(folder))
        beyond = due(sessions, now_ns, older_than_ns, keep_bytes, why_kept)
        gone = [each for each in beyond if let_go(each, now_ns, dry_run=dry_run)]
    failed |= any(each.kept is None and each not in gone for each in beyond)
    left = total_bytes(sessions) - total_bytes([each.session for each in gone])
    typer.echo(
        f"{count_in_words(len(gone), 'session')} {'would go' if dry_run else 'removed'}"
        f", {count_in_words(len(sessions) - len(gone), 'session')} of "
        f"{left / 1e9:.3g} GB {'would stay' if dry_run else 'left'}"
    )
    if keep_bytes is not None and left > keep_bytes:
        typer.echo(f"that is more than {keep_bytes / 1e9:.3g} GB: no other may go")
        failed = True
    if failed:
        raise typer.Exit(1)


def pin(session: SessionFolder) -> None:
    """Keep a session, whatever the quotas of `sessions prune` say.

    Example: atomstream sessions pin runs/today
    """
    pin_session(session, time.time_ns())
    typer.echo(f"{session} is pinned: `sessions prune` leaves it")


def unpin(session: SessionFolder) -> None:
    """Leave a session to the quotas of `sessions prune` again.

    Example: atomstream sessions unpin runs/today
    """
    was_pinned = unpin_session(session)
    typer.echo(f"{session} {'is pinned no more' if was_pinned else 'was not pinned'}")


def check_parent(folder: Path) -> None:
    """Refuse what holds no sessions.

    Raises
    ------
    SettingsError
        It is no folder, or a session itself.
    """
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder")
    if (folder / INDEX_NAME).exists():
        raise SettingsError(f"{folder} is a session; give the folder that holds it")


def finish(folder: Path, *, dry_run: bool) -> bool:
    """Remove what somebody who was killed has left; whether any of it cannot be."""
    failed = False
    for path in leftovers(folder):
        typer.echo(f"{path.name}: its removal {'would be' if dry_run else 'is'} ended")
        if not dry_run:
            failed |= not said_if_not_removed(path)
    return failed


def readable(folder: Path) -> Iterator[Stored]:
    """Sessions of a folder; says which are left alone because they make no sense."""
    for path in folders_of_sessions(folder):
        try:
            yield stored(path)
        except SessionError as error:
            typer.echo(f"left alone: {error}", err=True)


def let_go(each: Due, now_ns: int, *, dry_run: bool) -> bool:
    """Whether a session is gone, or would go; says so, or why not."""
    said = stored_in_words(each.session, now_ns)
    if each.kept:
        typer.echo(f"stays: {said}: {each.kept}")
        return False
    if dry_run:
        typer.echo(f"would go: {said}")
        return True
    try:
        going = set_going(each.session.folder)
    except SessionError as error:
        typer.echo(f"{error}", err=True)
        return False
    is_gone = said_if_not_removed(going)
    if is_gone:
        typer.echo(f"removed: {said}")
    return is_gone


def said_if_not_removed(going: Path) -> bool:
    """Whether a session that goes is gone; says why it is not."""
    try:
        remove(going)
    except SessionError as error:
        typer.echo(f"not removed: {error}", err=True)
        return False
    return True
