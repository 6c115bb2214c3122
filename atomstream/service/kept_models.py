"""Where a session keeps the models that its frames were analysed with."""

from pathlib import Path

KEPT = "models"


def kept_models(session: Path) -> list[Path]:
    """Their folders; those that are links lead out of the session and are none."""
    folder = session / KEPT
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(kept for kept in folder.iterdir() if not kept.is_symlink())
