"""Open the index of passages: in a folder of this process, or on the settings' Qdrant server."""

from luna.platform.extras import QDRANT, require_extra
from luna.platform.settings import Settings
from services.rag.retrieval.vectors.index import IndexFilter, VectorIndex, follow

__all__ = ["IndexFilter", "VectorIndex", "follow", "open_index"]


def open_index(settings: Settings, model: str, dimensions: int | None) -> VectorIndex:
    """Return the index of passages for one embedding model.

    Without ``dimensions`` it finds passages by words alone.

    Raises:
        MachineError: the index's folder cannot be written, or the server's client is not installed.
    """
    if settings.vectors_url is not None:
        require_extra(QDRANT)
        from services.rag.retrieval.vectors.qdrant_server import ServerIndex

        return ServerIndex(settings, model, dimensions)
    from services.rag.retrieval.vectors.qdrant_edge import EdgeIndex

    return EdgeIndex(settings.data_folder / "vectors", model, dimensions)
