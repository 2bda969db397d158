"""Load a file that was handed over."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Message, Request

Kind = Literal["observations", "prices", "weather", "carbon", "readings"]
Column = Annotated[str, Field(min_length=1, max_length=200)]


class LoadReply(Message):
    """What became of a file's rows: each is accepted, quarantined or duplicated. ``inserted``, ``updated`` and ``unchanged`` count what is stored."""

    rows: int
    accepted: int
    repaired: Annotated[int, Field(description="repairs to accepted rows")]
    quarantined: int
    duplicated: int
    repairs: dict[str, int]
    reasons: dict[str, int]
    notes: list[str]
    step_minutes: float | None
    first: datetime | None
    last: datetime | None
    inserted: int
    updated: int
    unchanged: int


class LoadFileRequest(Request):
    """Store the rows of a file that lies in the store of objects; loading it again changes nothing."""

    task: ClassVar[str] = "ingest.file.load"
    reply: ClassVar[type[Message]] = LoadReply

    site_id: Annotated[str, Field(min_length=1, max_length=200)]
    object_key: Annotated[str, Field(max_length=1000, description="where the file lies in the store of objects")]
    file_name: Annotated[str, Field(max_length=200, description="what its owner calls it")] = "file"
    kind: Kind
    timezone: Annotated[str | None, Field(max_length=100, description="where the clock of times without offset stands")] = None
    columns: Annotated[Mapping[Column, Column], Field(max_length=100, description="Luna's name of a column and the file's")] = {}
    units: Annotated[Mapping[Column, Column], Field(max_length=100, description="Luna's name of a column and its unit in the file")] = {}
    ignore: Annotated[list[Column], Field(max_length=200, description="columns of the file to leave out")] = []
