"""Which modules of `streamer` the plug-in needs, and where it carries them.

Nion Swift's Python has no atomstream. What the plug-in needs of it is put into a folder
of its own when it is built; in the repository it is there once. This file is also read
by the build, which has nothing but the standard library.
"""

import ast
import sys
from pathlib import Path

FOLDER = "_carried"
FIRST = ("streamer.publisher", "streamer.subscriber", "streamer.nion_item")
"""What the plug-in's own modules import; the rest follows from these."""


def carried(streamer: Path) -> dict[Path, Path]:
    """Each file that is needed, and where it belongs within the plug-in."""
    root = streamer.parent
    return {
        root / file: Path(FOLDER) / file
        for file in sorted(file_of(root, module) for module in needed(root))
    }


def needed(root: Path) -> set[str]:
    """Names of the modules under `root` that the plug-in needs, packages included."""
    found: set[str] = set()
    todo = list(FIRST)
    while todo:
        module = todo.pop()
        if module in found:
            continue
        found.add(module)
        package = module.rpartition(".")[0]
        todo += [package] if package else []
        todo += imports(root / file_of(root, module))
    return found


def imports(file: Path) -> list[str]:
    """Modules of `streamer` that a file imports."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = [node.module or "" for node in ast.walk(tree)
             if isinstance(node, ast.ImportFrom)]  # fmt: skip
    return [module for module in named if module.startswith("streamer.")]


def file_of(root: Path, module: str) -> Path:
    """File of a module, relative to `root`."""
    path = Path(*module.split("."))
    inside = path / "__init__.py"
    return inside if (root / inside).is_file() else path.with_suffix(".py")


def make_importable() -> None:
    """Have `import streamer` find what is carried, where something is."""
    folder = Path(__file__).parent / FOLDER
    if folder.is_dir() and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
