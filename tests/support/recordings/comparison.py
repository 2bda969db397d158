"""Recordings: what Luna shows to the outside, as text that is compared line by line.

``LUNA_RECORD=1`` writes what is there now in place of comparing.
"""

import difflib
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "recordings"
VARIABLE = "LUNA_RECORD"
_SHOWN_LINES = 60
_WIDTH = 150


def hold(name: str, document: Any) -> None:
    """Compare a document with its recording ``name``, or record it."""
    path = FOLDER / name
    text = document if isinstance(document, str) else "\n".join(_lines(_plain(document), "")) + "\n"
    if os.environ.get(VARIABLE) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    recorded = path.read_text(encoding="utf-8") if path.exists() else ""
    if recorded != text:
        lines = difflib.unified_diff(
            recorded.splitlines(), text.splitlines(), "recorded", "now", lineterm="", n=2
        )
        pytest.fail(
            f"{name} is not as recorded; meant: {VARIABLE}=1\n"
            + "\n".join(islice(lines, _SHOWN_LINES)),
            pytrace=False,
        )


def _plain(value: Any) -> Any:
    """Return a document with floats rounded, no zero with a minus, and everything else as JSON has
    it.
    """
    if isinstance(value, float):
        return round(value, 6) + 0.0
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _lines(value: Any, lead: str, tail: str = "", head: str = "") -> Iterator[str]:
    """Write JSON with an indent of one, names sorted.

    A list of plain values stands in one line where it fits.
    """
    flat = json.dumps(value, ensure_ascii=False, sort_keys=True)
    parts = isinstance(value, dict) or (
        isinstance(value, list)
        and (len(flat) > _WIDTH or any(isinstance(each, dict | list) for each in value))
    )
    if not value or not parts:
        yield f"{lead}{head}{flat}{tail}"
        return
    named = sorted(value.items()) if isinstance(value, dict) else [(None, each) for each in value]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    yield f"{lead}{head}{begin}"
    for number, (name, each) in enumerate(named, start=1):
        yield from _lines(
            each,
            f"{lead} ",
            "," * (number < len(named)),
            "" if name is None else f"{json.dumps(name, ensure_ascii=False)}: ",
        )
    yield f"{lead}{end}{tail}"
