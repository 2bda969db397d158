"""Lines of the log that runbooks look for are lines that the code writes."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOUGHT = re.compile(r"logs [^`\n]*\| grep '([\w ]+)'")
EVENT = re.compile(r'\blog\.\w+\(\s*"([^"]+)"')


def read_all(paths: list[Path], pattern: re.Pattern[str]) -> set[str]:
    return {found for path in paths for found in pattern.findall(path.read_text(encoding="utf-8"))}


def test_every_line_that_a_runbook_looks_for_is_an_event_of_the_code() -> None:
    sought = read_all(list((ROOT / "docs" / "runbooks").glob("*.md")), SOUGHT)
    sources = [*(ROOT / "luna").rglob("*.py"), *(ROOT / "services").rglob("*.py")]
    events = read_all(sources, EVENT)
    assert len(sought) > 2
    assert [text for text in sought if not any(text in event for event in events)] == []
