"""What the tests of worker and beat send, and what they count; ``upkeep_tasks`` answers in processes of their own."""

from pathlib import Path
from typing import ClassVar

from luna.contracts.message import Message, Request


class Through(Message):
    starts: int


class GateRequest(Request):
    """Note a start, and end when ``gate`` exists."""

    task: ClassVar[str] = "ingest.gate.pass"
    reply: ClassVar[type[Message]] = Through

    starts: Path
    gate: Path


def note(path: Path) -> int:
    """Append a line and return how many there are."""
    with path.open("a", encoding="utf-8") as file:
        file.write("once\n")
    return count(path)


def count(path: Path) -> int:
    """Return how many lines there are."""
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0
