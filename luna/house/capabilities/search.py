"""Passages that are nearest to a query, and the vectors of text."""

from collections.abc import Iterator

from luna.contracts.search import (
    EmbedQuestion,
    EmbedRequest,
    SearchQuestion,
    SearchReply,
    SearchRequest,
)
from luna.house.capability import CapabilityCall, RouteForm, TerminalForm, capability
from luna.words import Numbers


def _show_passages(reply: SearchReply, _: Numbers) -> Iterator[str]:
    if not reply.passages:
        yield "Nothing was found."
    for number, passage in enumerate(reply.passages, 1):
        yield f"{number}. {passage.place}  {passage.score:.2f}"
        yield f"   {' '.join(passage.text.split())[:300]}"


@capability(
    "POST",
    "/v1/search",
    noun="search",
    scope="read",
    command="search",
    shown=_show_passages,
    terminal=TerminalForm(
        arguments=("query",),
        options={"from_day": "from", "to_day": "to", "document_ids": "document"},
    ),
)
def search_passages(call: CapabilityCall, question: SearchQuestion) -> SearchRequest:
    """Search passages.

    Return passages of documents that the caller may see, best match first, with document, page and
    headings.
    """
    return SearchRequest(**dict(question), sites=call.own_sites)


@capability(
    "POST",
    "/v1/embed",
    noun="search",
    scope="analyse",
    alone="what other programs index with",
    route=RouteForm(aliases=("/embed",)),
)
def embed_texts(_: CapabilityCall, question: EmbedQuestion) -> EmbedRequest:
    """Compute text vectors.

    Return a vector of unit length for each text, by the embedding model of the settings.
    """
    return EmbedRequest(**dict(question))


CAPABILITIES = (
    search_passages,
    embed_texts,
)
