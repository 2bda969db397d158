"""What turns text into vectors: a model of Luna's own, or one of a server."""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal, Protocol

import httpx
import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.settings import Settings
from services.rag.model_server import server_headers, server_root

FloatArray = NDArray[np.float32]
Role = Literal["query", "passage"]

# What models want before a question and before a passage. Source: the models' cards.
PREFIXES: dict[str, dict[Role, str]] = {
    "nomic-embed": {"query": "search_query: ", "passage": "search_document: "},
    "multilingual-e5": {"query": "query: ", "passage": "passage: "},
    "mxbai-embed": {"query": "Represent this sentence for searching relevant passages: ", "passage": ""},
}
# Which models know English alone: a German question is given the field's English words too.
ENGLISH = ("all-minilm", "nomic-embed-text", "mxbai-embed")
_AT_ONCE = 32
_CONNECT_SECONDS, _TOTAL_SECONDS = 2.0, 120.0


class Embedder(Protocol):
    """Turns text into vectors.

    Invariants: vectors of one model have one length; each is of unit length.
    """

    @property
    def model(self) -> str:
        """The name of the model."""

    @property
    def dimensions(self) -> int:
        """The length of its vectors."""

    @property
    def speaks_one_language(self) -> bool:
        """Whether it knows English alone."""

    def embed(self, texts: Sequence[str], *, role: Role = "passage") -> FloatArray:
        """Return a vector for each text, shape ``(texts, dimensions)``.

        Raises:
            UnavailableError: the model is away; the same call may work later.
        """


class OwnEmbedder:
    """The model that lies in a folder of this machine."""

    model = "all-minilm-l6-v2"
    dimensions = 384
    speaks_one_language = True

    def __init__(self, folder: str) -> None:
        from pathlib import Path

        from services.rag.embedding.minilm import MiniLm

        self._model = MiniLm(Path(folder))

    def embed(self, texts: Sequence[str], *, role: Role = "passage") -> FloatArray:
        """Return a vector for each text; the model takes questions and passages alike."""
        del role
        return self._model.embed(texts)


class ServerEmbedder:
    """A model of the language model's server: Ollama's way of asking, or OpenAI's."""

    def __init__(self, settings: Settings) -> None:
        self.model = settings.embedding_model
        self._settings = settings
        timeout = httpx.Timeout(_TOTAL_SECONDS, connect=_CONNECT_SECONDS)
        self._client = httpx.Client(base_url=server_root(settings), timeout=timeout, headers=server_headers(settings))

    @property
    def speaks_one_language(self) -> bool:
        return self.model.rpartition("/")[2].lower().startswith(ENGLISH)

    @cached_property
    def dimensions(self) -> int:
        return int(self.embed(["."]).shape[1])

    def embed(self, texts: Sequence[str], *, role: Role = "passage") -> FloatArray:
        prefix = next((words[role] for name, words in PREFIXES.items() if name in self.model.lower()), "")
        parts = [self._ask([prefix + text for text in texts[start : start + _AT_ONCE]]) for start in range(0, len(texts), _AT_ONCE)]
        vectors = np.concatenate(parts) if parts else np.zeros((0, self.dimensions), np.float32)
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny), np.float32)

    def _ask(self, texts: list[str]) -> FloatArray:
        try:
            answer = self._client.post("/v1/embeddings" if self._speaks_openai else "/api/embed", json={"model": self.model, "input": texts})
            answer.raise_for_status()
            document = answer.json()
            rows = [row["embedding"] for row in document["data"]] if self._speaks_openai else document["embeddings"]
            vectors = np.array(rows, np.float32)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as exc:
            raise self._away(str(exc) or type(exc).__name__) from exc
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise self._away(f"{len(texts)} texts were sent, vectors of shape {vectors.shape} came back")
        return vectors

    @property
    def _speaks_openai(self) -> bool:
        return self._settings.language_api == "openai"

    def _away(self, reason: str) -> LunaError:
        return refuse("embedding-away", field="language_url", value=self._settings.language_url, why=reason, model=self.model)
