"""The vectors of text."""

from fastapi import Response

from luna.contracts.search import EmbedQuestion, EmbedReply, EmbedRequest
from services.api.gateway import CurrentGateway
from services.api.routing import ResourceRouter

router = ResourceRouter("search")


@router.operation("Turn text into vectors", response_model=EmbedReply)
async def embed_texts(question: EmbedQuestion, gateway: CurrentGateway) -> Response:
    """Return a vector of unit length for each text, by the embedding model of the settings."""
    return await gateway.ask(EmbedRequest(**dict(question)))
