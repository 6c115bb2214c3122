import re
import subprocess
import sys
from pathlib import Path

import inference
from inference.training.code_hash import code_sha256

ASK = "from inference.training.code_hash import code_sha256; print(code_sha256())"


def test_the_same_code_has_the_same_hash_in_another_process() -> None:
    said = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert re.fullmatch("[0-9a-f]{64}", said)
    assert said == code_sha256()


def test_a_comma_more_is_other_code(tmp_path: Path) -> None:
    root = Path(inference.__file__).parents[1]
    for package in ("inference", "streamer"):
        for source in (root / package).rglob("*.py"):
            copy = tmp_path / source.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    (tmp_path / "streamer" / "frame.py").write_bytes(
        (root / "streamer" / "frame.py").read_bytes() + b"# ,\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert said != code_sha256()
