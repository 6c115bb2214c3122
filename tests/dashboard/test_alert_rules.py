"""The file of rules: what it may say, and what is said to who writes it wrong."""

from pathlib import Path

import pytest

from dashboard.alert_rules import AlertRules, read_rules
from dashboard.toml_file import MOST_BYTES
from streamer.analysis import Flag
from streamer.errors import SettingsError

DOCS = Path(__file__).parents[2] / "docs" / "dashboard.md"

ALL = """
frames_in_a_row = 2
crystallinity_below = 0.8
hole_area_above_nm2 = 20
hole_growth_above_nm2_per_min = 0.5
hole_growth_frames = 5
silicon_below = 1
carbon_loss_above_percent = 5.0
carbon_loss_frames = 20
flags = ["blurred", "no-atoms"]
latency_above_s = 20
backlog_above_frames = 3
no_frame_for_s = 120
not_recording = false
disk_below_gb = 50
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.toml"


def test_every_rule_can_be_set(file: Path) -> None:
    file.write_text(ALL)
    rules = read_rules(file)
    assert rules.flags == (Flag.BLURRED, Flag.NO_ATOMS)
    assert (rules.hole_area_above_nm2, rules.no_frame_for_s) == (20, 120)
    assert all(
        getattr(rules, name) != field.default
        for name, field in AlertRules.model_fields.items()
    )


def test_what_makes_no_sense_to_be_without_is_on_by_itself(file: Path) -> None:
    file.write_text("")
    rules = read_rules(file)
    assert rules == AlertRules()
    on = {name for name, value in rules if value and name.partition("_")[2]}
    assert on == {
        "frames_in_a_row", "hole_growth_frames", "carbon_loss_frames",
        "latency_above_s", "backlog_above_frames", "no_frame_for_s", "not_recording",
        "disk_below_gb",
    }  # fmt: skip


def test_a_rule_is_switched_off_with_false(file: Path) -> None:
    file.write_text("no_frame_for_s = false\nlatency_above_s = false")
    rules = read_rules(file)
    assert (rules.no_frame_for_s, rules.latency_above_s) == (None, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cristallinity_below = 1", "'cristallinity_below' is no rule; do you mean "
         "crystallinity_below?"),
        ("xyz = 1", "'xyz' is no rule; there are frames_in_a_row, crystallinity_below"),
        ("flags = ['blured']", "flags: 'blured' is no flag; do you mean blurred?"),
        ("flags = 'blurred'", "flags: 'blurred': Input should be a valid tuple"),
        ("disk_below_gb = '10'", "disk_below_gb: '10': Input should be a valid number"),
        ("disk_below_gb = -1", "disk_below_gb: -1: Input should be greater than or "
         "equal to 0"),
        ("disk_below_gb = nan", "disk_below_gb: nan: Input should be a finite number"),
        ("disk_below_gb = true", "disk_below_gb: True: Input should be a valid number"),
        ("no_frame_for_s = 0", "no_frame_for_s: 0: Input should be greater than 0"),
        ("frames_in_a_row = 0", "frames_in_a_row: 0: Input should be greater than or "
         "equal to 1"),
        ("frames_in_a_row = 2.5", "frames_in_a_row: 2.5: Input should be a valid "
         "integer"),
        ("not_recording = 'no'", "not_recording: 'no': Input should be a valid "
         "boolean"),
        ("[disk]\nbelow = 3", "'disk' is no rule; there are frames_in_a_row"),
        ("x = ", "is no TOML: Invalid value (at end of document)"),
        ("x" * (MOST_BYTES + 1), "are longer than 65536 characters"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_in_one_line_that_helps(
    file: Path, text: str, words: str
) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        read_rules(file)
    assert words in str(refused.value)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(file: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_rules(file)
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_rules(file.parent)
    file.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="not text in UTF-8"):
        read_rules(file)


def test_the_documentation_has_every_rule_with_its_default() -> None:
    rows = [
        [cell.strip(" `") for cell in line.split("|")]
        for line in DOCS.read_text().splitlines()
    ]
    said = {cells[1]: cells[3] for cells in rows if len(cells) > 4}
    for name, field in AlertRules.model_fields.items():
        assert said[name] == written(field.default), name


def written(default: object) -> str:
    match default:
        case None:
            return "off"
        case bool():
            return str(default).lower()
        case ():
            return "[]"
        case _:
            return f"{default:g}"
