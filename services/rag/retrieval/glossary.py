"""Phrases of the energy field and of everyday questions in German and English."""

from pathlib import Path
from typing import Final

Group = tuple[tuple[str, ...], tuple[str, ...]]


def _read_glossary() -> tuple[Group, ...]:
    text = Path(__file__).with_name("glossary.txt").read_text(encoding="utf-8")
    groups = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            german, english = line.split(" = ")
            groups.append((tuple(german.split(", ")), tuple(english.split(", "))))
    return tuple(groups)


# Each is (German, English).
GLOSSARY: Final[tuple[Group, ...]] = _read_glossary()
