"""Recommended items to read or do, and readers' responses to them."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.documents import SiteName
from luna.contracts.message import Message, Request, Schedule
from luna.energy.timeline import Instant
from luna.words.language import Language

ItemKind = Literal["document", "tip", "tariff", "what_if"]
EventAction = Literal["shown", "opened", "useful", "dismissed", "read"]
BanditPolicy = Literal["linucb", "thompson"]


class Recommendation(Message):
    """Something recommended, with its saving and why it is shown."""

    recommendation_id: Annotated[str, Field(description="of this showing; events name it")]
    item_id: Annotated[str, Field(description="of the item; the same from day to day")]
    kind: Annotated[ItemKind, Field(description="document, tip, tariff or what_if")]
    title: Annotated[str, Field(description="in the language of the request")]
    text: Annotated[str, Field(description="what it is about, or what to do")]
    saving_cost_per_year: Annotated[
        float | None,
        Field(description="currency a year, from the site's own data; null: none is claimed"),
    ] = None
    saving_low: Annotated[float | None, Field(description="of the interval of 95 %")] = None
    saving_high: Annotated[float | None, Field(description="of the interval of 95 %")] = None
    currency: Annotated[str | None, Field(description="ISO 4217")] = None
    evidence: Annotated[
        list[str], Field(description="sentences: what the saving was computed from")
    ] = []
    document_id: Annotated[str | None, Field(description="of a document")] = None
    what_if_id: Annotated[
        str | None, Field(description="of the what-if that it was replayed in")
    ] = None
    departure_id: Annotated[
        str | None, Field(description="of the weekly departure that waits for an answer")
    ] = None
    reason: Annotated[str, Field(description="why it is shown to this reader, in a sentence")]


class RecommendReply(Message):
    """Recommendations, the best first."""

    recommendations: Annotated[list[Recommendation], Field(description="the best first")]
    policy: Annotated[BanditPolicy, Field(description="that chose them")]


class RecommendRequest(Request):
    """Choose what is worth reading or doing for a reader."""

    task: ClassVar[str] = "rag.recommendations.choose"
    reply: ClassVar[type[Message]] = RecommendReply

    reader: Annotated[str, Field(max_length=64)] = "local"
    site_id: SiteName | None = None
    about: Annotated[
        str | None,
        Field(
            max_length=500,
            description="what it should be about; null: what the reader read and asked",
        ),
    ] = None
    kind: ItemKind | None = None
    k: Annotated[int, Field(ge=1, le=50)] = 5
    language: Language = "en"
    sites: Annotated[tuple[str, ...] | None, Field(description="the reader's; null: all")] = None
    unasked: Annotated[
        bool,
        Field(description="nobody asked: one a day at most, and no document of the last day"),
    ] = False


class Event(Message):
    """A reader's response to a recommended item.

    The same ``event_id`` counts once.
    """

    event_id: Annotated[
        str,
        Field(
            min_length=8, max_length=64, pattern=r"^[\w-]+$", description="given by who reports it"
        ),
    ]
    recommendation_id: Annotated[
        str,
        Field(min_length=1, max_length=64, pattern=r"^[\w-]+$", description="of what was shown"),
    ]
    action: Annotated[EventAction, Field(description="shown, opened, useful, dismissed or read")]
    seconds: Annotated[
        float | None, Field(ge=0, le=86_400, description="reading time, for read")
    ] = None
    happened_at: Annotated[Instant, Field(description="by the clock of who reports it")]


class EventsReply(Message):
    """The outcome of a batch."""

    accepted: Annotated[int, Field(description="stored and learned from")]
    duplicated: Annotated[int, Field(description="known already")]
    unknown: Annotated[
        list[str],
        Field(description="ids of events about recommendations that this reader was never shown"),
    ] = []


class RecordEventsRequest(Request):
    """Record what a reader did, and learn from it."""

    task: ClassVar[str] = "rag.events.record"
    reply: ClassVar[type[Message]] = EventsReply

    events: Annotated[tuple[Event, ...], Field(min_length=1, max_length=1000)]
    reader: Annotated[str, Field(max_length=64)] = "local"


class RefreshRecommendationsReply(Message):
    """The outcome for the items."""

    sites: Annotated[int, Field(description="whose tips, tariffs and what-ifs were looked at")]
    written: Annotated[int, Field(description="new or changed")]
    withdrawn: Annotated[int, Field(description="no longer so")]
    failed: Annotated[
        list[str], Field(description="sites that could not be looked at; the log says why")
    ] = []


class RefreshRecommendationsRequest(Request):
    """Look anew for what can be recommended.

    Sources are documents, tips from sites' own data, tariffs, and what-ifs that were replayed.
    """

    task: ClassVar[str] = "rag.recommendations.refresh"
    reply: ClassVar[type[Message]] = RefreshRecommendationsReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(days=1), "recommendations", "time between two looks for what can be recommended"
    )
    public: ClassVar[bool] = True

    site_id: Annotated[SiteName | None, Field(description="of one site alone; default: of all")] = (
        None
    )
