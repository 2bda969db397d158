"""Declare recommendations, and what their readers did with them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.recommendations import (
    Event,
    ItemKind,
    RecommendReply,
    RecommendRequest,
    RecordEventsRequest,
)
from luna.house.capability import CapabilityCall, RouteForm, TerminalForm, capability
from luna.words import Language, Numbers

_NOUN = "recommendations"
ForSite = Annotated[
    str | None, Field(max_length=64, description="for this site; default: all of the caller's")
]
About = Annotated[
    str | None,
    Field(
        max_length=500,
        description="the subject; default: what the caller read and asked",
    ),
]
OfKind = Annotated[ItemKind | None, Field(description="only this kind")]
Most = Annotated[int, Field(ge=1, le=50, description="most rows")]
ReplyLanguage = Annotated[Language, Field(description="language of the texts")]


class EventBatch(Message):
    """Reactions of the caller to recommendations."""

    events: Annotated[
        tuple[Event, ...],
        Field(
            min_length=1, max_length=1000, description="each counts once, even if it is sent again"
        ),
    ]


_IN_PAGES = "a command shows and forgets; what readers do, they do in pages"


@capability(
    "POST",
    "/v1/events",
    noun=_NOUN,
    scope="read",
    alone=_IN_PAGES,
    route=RouteForm(aliases=("/events",)),
)
def record_events(call: CapabilityCall, batch: EventBatch) -> RecordEventsRequest:
    """Report the use of recommendations.

    Store the caller's events and learn from them. Events about tips that the caller was never shown
    are returned as unknown.
    """
    return RecordEventsRequest(events=batch.events, reader=call.name or call.by)


def _show(reply: RecommendReply, numbers: Numbers) -> Iterator[str]:
    for item in reply.recommendations:
        if item.saving_cost_per_year is None:
            yield item.title
        else:
            money = replace(numbers, currency=item.currency or "EUR").money
            saving = money(item.saving_cost_per_year)
            yield f"{item.title} {saving} ({money(item.saving_low)} – {money(item.saving_high)})"
        yield item.text
        for sentence in (*item.evidence, item.reason):
            yield f"  {sentence}"
    if not reply.recommendations:
        yield "Nothing is to be recommended; luna recommend refresh looks anew."


@capability(
    "GET",
    "/v1/recommendations",
    noun=_NOUN,
    scope="read",
    also=("recommend",),
    shown=_show,
    terminal=TerminalForm(options={"k": "count"}),
    route=RouteForm(aliases=("/recommend",)),
)
def list_recommendations(
    call: CapabilityCall,
    *,
    site_id: ForSite = None,
    about: About = None,
    kind: OfKind = None,
    k: Most = 5,
    language: ReplyLanguage = "en",
) -> RecommendRequest:
    """List recommendations.

    Return recommendations for the caller, the best first, and store that they were shown.
    """
    reader: dict[str, Any] = {} if call.name is None else {"reader": call.name}
    return RecommendRequest(
        **reader,
        site_id=site_id,
        about=about,
        kind=kind,
        k=k,
        language=language,
        sites=call.own_sites,
    )


CAPABILITIES = (
    record_events,
    list_recommendations,
)
