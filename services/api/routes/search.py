"""Passages that are nearest to a query, and the vectors of text."""

from fastapi import Response

from luna.contracts.search import EmbedQuestion, EmbedReply, EmbedRequest, SearchQuestion, SearchReply, SearchRequest
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.routing import ResourceRouter

router = ResourceRouter("search")


@router.operation("Find passages", response_model=SearchReply)
async def search_passages(question: SearchQuestion, gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Return passages of documents that the caller may see, the nearest to the query first, each with document, page and headings."""
    return await gateway.ask(SearchRequest(**dict(question), sites=None if caller.sites is None else tuple(sorted(caller.sites))))


@router.operation("Turn text into vectors", response_model=EmbedReply)
async def embed_texts(question: EmbedQuestion, gateway: CurrentGateway) -> Response:
    """Return a vector of unit length for each text, by the embedding model of the settings."""
    return await gateway.ask(EmbedRequest(**dict(question)))
