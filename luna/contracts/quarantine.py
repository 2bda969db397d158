"""Rows that were refused, and what a person decides about them."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from luna.contracts.message import Instant, Message, Request

Resolution = Literal["released", "corrected", "dismissed"]
# "open" is what nobody has decided about yet.
QuarantineFilter = Literal["open", "released", "corrected", "dismissed"]
Cell = str | int | float | None


class QuarantinedRow(Message):
    """A refused row with its reason and, once somebody decided, what became of it."""

    quarantine_id: int
    kind: str
    source: Annotated[str, Field(description="the file's SHA-256, or the name of a live source")]
    line: int
    reason: str
    raw: Annotated[dict[str, Any], Field(description="the row as received")]
    received_at: Instant
    resolution: Resolution | None = None
    corrected: Annotated[dict[str, Any] | None, Field(description="the row as corrected by hand")] = None
    resolved_at: Instant | None = None


class ResolveReply(Message):
    """The row as it now stands; ``slots_changed`` counts values of the past that differ from before."""

    row: QuarantinedRow
    slots_changed: int


class ResolveRequest(Request):
    """Decide about a refused row: let it in as it is, let it in with other values, or leave it out for good."""

    task: ClassVar[str] = "ingest.quarantine.resolve"
    reply: ClassVar[type[Message]] = ResolveReply

    quarantine_id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    resolution: Resolution
    values: Annotated[dict[str, Cell], Field(description="column → value as it should have been; the others stay as received")] = {}

    @model_validator(mode="after")
    def _corrects_something(self) -> "ResolveRequest":
        if (self.resolution == "corrected") != bool(self.values):
            raise ValueError("a correction needs values, and only a correction has them")
        return self
