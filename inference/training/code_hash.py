"""Which code made a network: its version's name alone stays the same for many."""

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable

PACKAGES = ("inference", "streamer")
"""That what is trained depends on."""


def code_sha256() -> str:
    """SHA-256 over the names and contents of all Python files of `PACKAGES`."""
    told = hashlib.sha256()
    for package in PACKAGES:
        for name, content in _sources(files(package), package):
            told.update(f"{name}\0{len(content)}\0".encode())
            told.update(content)
    return told.hexdigest()


def _sources(folder: Traversable, name: str) -> list[tuple[str, bytes]]:
    """Path and content of each, in the order of their paths."""
    found: list[tuple[str, bytes]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{name}/{entry.name}"
        if entry.is_dir():
            found += _sources(entry, path)
        elif path.endswith(".py"):
            found.append((path, entry.read_bytes()))
    return found
