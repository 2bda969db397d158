"""What is worth reading or doing, and what readers did with it."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.recommendations import Event, EventsReply, ItemKind, RecommendReply, RecommendRequest, RecordEventsRequest
from luna.words import Language
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.routing import ResourceRouter

router = ResourceRouter("recommendations")


class EventBatch(Message):
    """What the caller did with what they were shown."""

    events: Annotated[tuple[Event, ...], Field(min_length=1, max_length=1000, description="each counts once, however often it is sent")]


@router.operation("Report what was done with recommendations", response_model=EventsReply)
async def record_events(batch: EventBatch, gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Store events of the caller and learn from them; about what the caller was never shown nothing is stored, and it is named as unknown."""
    return await gateway.ask(RecordEventsRequest(events=batch.events, reader=caller.name))


@router.operation("Recommend what is worth reading or doing", response_model=RecommendReply)
async def list_recommendations(  # noqa: PLR0913 - one per parameter of the query
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    site_id: Annotated[str | None, Query(max_length=64, description="for this site; default: all of the caller's")] = None,
    about: Annotated[str | None, Query(max_length=500, description="what it should be about; default: what the caller read and asked")] = None,
    kind: Annotated[ItemKind | None, Query(description="of this kind alone")] = None,
    k: Annotated[int, Query(ge=1, le=50, description="how many at most")] = 5,
    language: Annotated[Language, Query(description="of the texts")] = "en",
) -> Response:
    """Return recommendations for the caller, the best first, and keep that they were shown."""
    sites = None if caller.sites is None else tuple(sorted(caller.sites))
    return await gateway.ask(RecommendRequest(reader=caller.name, site_id=site_id, about=about, kind=kind, k=k, language=language, sites=sites))
