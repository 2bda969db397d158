"""Additional libraries for a few commands, and their installation."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Message, Request

ExtraName = Literal["training", "lab", "pictures", "mdns", "qdrant"]
ExtraState = Literal["installed", "removed"]


class ExtraStatus(Message):
    """An addition: its purpose, its size, and whether it is here."""

    name: Annotated[ExtraName, Field(description="its name")]
    purpose: Annotated[str, Field(description="what needs it")]
    libraries: Annotated[list[str], Field(description="the libraries that count")]
    installed: Annotated[bool, Field(description="whether all of them are here")]
    download_mb: Annotated[int, Field(description="what is fetched, MB")]
    disk_mb: Annotated[int, Field(description="what it takes on the disk, MB")]
    minutes: Annotated[int, Field(description="how long that takes on a usual line")]
    folder: Annotated[str, Field(description="where it would be put")]
    why_not: Annotated[
        str | None, Field(description="why it cannot be installed here; null: it can")
    ]


class ExtraList(Message):
    """Every addition there is."""

    extras: Annotated[list[ExtraStatus], Field(description="one per addition")]
    cursor: Annotated[None, Field(description="always null: all of them stand on one page")] = None


class ExtraChange(Message):
    """The action on an addition."""

    wanted: Annotated[ExtraState, Field(description="installed or removed")]


class ChangeExtraReply(Message):
    """The state of an addition afterwards."""

    name: ExtraName
    installed: bool


class ChangeExtraRequest(Request):
    """Install an addition to which somebody has agreed, or remove it."""

    task: ClassVar[str] = "ingest.extra.change"
    reply: ClassVar[type[Message]] = ChangeExtraReply

    name: ExtraName
    wanted: ExtraState
