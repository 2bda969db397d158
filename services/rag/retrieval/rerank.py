"""Puts the passages that were found in the order in which a model that reads question and passage together finds them to answer."""

from collections.abc import Sequence
from math import isfinite

import httpx
import structlog

from luna.contracts.search import Passage
from luna.platform.settings import Settings
from services.rag.model_server import server_headers, server_root

# So many of the best are read again; what stands further down is out of reach.
DEPTH = 30
_CONNECT_SECONDS, _TOTAL_SECONDS = 2.0, 10.0

log = structlog.get_logger("luna.rag")


def rerank(settings: Settings, query: str, passages: Sequence[Passage]) -> tuple[list[Passage], str | None]:
    """Return passages in the order of the settings' re-ranking model, and its name; as they were, and None, where there is none or it is away.

    It is asked as llama.cpp, vLLM and others are: ``POST /v1/rerank``.
    """
    if settings.rerank_model is None or settings.language_url is None or len(passages) < 2:
        return list(passages), None
    try:
        scores = _ask(settings, settings.rerank_model, query, [passage.text for passage in passages[:DEPTH]])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        log.warning("the re-ranking model is away, passages stay as they were found", error=str(error) or type(error).__name__)
        return list(passages), None
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    return [*(passages[place] for place in order), *passages[len(scores) :]], settings.rerank_model


def _ask(settings: Settings, model: str, query: str, texts: list[str]) -> list[float]:
    """Return how well each text answers a query.

    Raises:
        httpx.HTTPError: the server is away or refuses.
        ValueError, KeyError, TypeError: what it says is no score for each.
    """
    question = {"model": model, "query": query, "documents": texts, "top_n": len(texts)}
    timeout = httpx.Timeout(_TOTAL_SECONDS, connect=_CONNECT_SECONDS)
    answer = httpx.post(f"{server_root(settings)}/v1/rerank", json=question, headers=server_headers(settings), timeout=timeout)
    answer.raise_for_status()
    scores = {int(row["index"]): float(row["relevance_score"]) for row in answer.json()["results"]}
    if set(scores) != set(range(len(texts))) or not all(isfinite(score) for score in scores.values()):
        raise ValueError(f"{len(texts)} passages were sent, scores of {len(scores)} came back")
    return [scores[place] for place in range(len(texts))]
