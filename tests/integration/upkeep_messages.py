"""What the tests of worker and beat send; ``upkeep_tasks`` answers in processes of their own."""

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
