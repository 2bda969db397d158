"""Documents read and found, questions answered: pages a second, a search among 50,000 passages at
the client, quality by set, the first word of an answer.

Run as ``python -m bench.knowledge``. Vectors of the 50,000 passages are random: what is measured is
the search, not the model that reads them. ``$LUNA_BENCH_DATA/beir`` may hold further sets, a folder
each.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np

from bench import data_questions, document_questions
from bench.gateway import GATEWAY, serving
from bench.knowledge_texts import draw_question, store_corpus, store_key, write_pages
from bench.own_questions import (
    NOW,
    SITE,
    OwnSet,
    be_silent,
    evaluate_answers,
    evaluate_retrieval,
    search_in,
)
from bench.queue import run_worker
from bench.stack import data_servers
from luna.energy.errors import MachineError
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging
from services.rag.answering.answerer import Answerer, QuestionContext
from services.rag.embedding import Embedder, prepare_embedder
from services.rag.evaluation import Corpus, evaluate_set
from services.rag.extraction.chunking import cut
from services.rag.extraction.extract import extract
from services.rag.language import open_language
from tests.support.answers.language_model_server import language_server

PASSAGES = 50_000
PAGES = 200
EMBEDDED_PAGES = 20
WARM = 20
SEARCHES = 300
FIRST_TOKENS = 15
BUILD_SECONDS = 300
SEED = 14
# Answered by one passage, in its words, so that what a model says of it can be checked.
QUESTION = "Wie viel der installierten Leistung dürfen Anlagen ohne Steuerbox höchstens einspeisen?"
SENTENCE = (
    "Anlagen ab 7 kWp ohne intelligentes Messsystem und Steuerbox dürfen am Netzanschlusspunkt "
    "höchstens 60 % der installierten Leistung einspeisen [1]."
)


def measure() -> dict[str, Any]:
    """Return the figures; without an embedding model those of words alone."""
    configure_logging("bench", level="WARNING")
    embedder = prepare_embedder(load_settings())
    own = OwnSet()
    corpus = Corpus(own.searched(), len(own.passages), embedder, be_silent)
    missing = [] if embedder else ["an embedding model"]
    try:
        data = data_questions.measure()
    except MachineError:
        data = None
        missing.append("the demo's year")
    return {
        "ingest": measure_reading(embedder),
        "search": measure_searches(embedder),
        "quality": measure_quality(own, corpus, embedder),
        "answers": evaluate_answers(own, corpus),
        "documents": document_questions.measure(embedder),
        "data": data,
        "first_token_ms": measure_first_token(own, corpus),
        "missing": missing,
    }


def measure_reading(embedder: Embedder | None) -> dict[str, float | None]:
    """Return pages a second from a file to its passages, and to their vectors.

    A page has 500 words.
    """
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder:
        path = Path(folder) / "pages.md"
        path.write_text(write_pages(np.random.default_rng(SEED), PAGES), encoding="utf-8")
        began = time.perf_counter()
        chunks = cut(extract(path, name=path.name).blocks)
        reading = (time.perf_counter() - began) / PAGES
    if embedder is None:
        return {"read_pages_per_s": 1 / reading, "pages_per_s": None}
    some = [chunk.text for chunk in chunks[: len(chunks) * EMBEDDED_PAGES // PAGES]]
    began = time.perf_counter()
    embedder.embed(some)
    return {
        "read_pages_per_s": 1 / reading,
        "pages_per_s": 1 / (reading + (time.perf_counter() - began) / EMBEDDED_PAGES),
    }


def measure_searches(embedder: Embedder | None) -> dict[str, float]:
    """Return how long ``POST /v1/search`` takes at a client of the gateway, one question after the
    other.
    """
    rng = np.random.default_rng(SEED)
    with data_servers() as (addresses, folder), _settings(folder):
        store_corpus(addresses.database_url, rng, PASSAGES, embedder)
        headers = store_key(addresses.database_url)
        worker = run_worker(
            ["luna.platform.queue.worker", "rag", "--only", "interactive"], addresses, processes=1
        )
        with worker, serving(GATEWAY, addresses, str(folder)) as (port, _):
            return _search_again_and_again(port, headers, rng)


@contextmanager
def _settings(folder: Path) -> Iterator[None]:
    """Have processes that are started find the embedding model where this one keeps it, and their
    index in a folder of the bench.
    """
    own = {
        "LUNA_CACHE_FOLDER": str(load_settings().cache.resolve()),
        "LUNA_DATA_FOLDER": str(folder),
        "LUNA_LOG_LEVEL": "WARNING",
    }
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _search_again_and_again(
    port: int, headers: dict[str, str], rng: np.random.Generator
) -> dict[str, float]:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=BUILD_SECONDS
    ) as client:
        began = time.perf_counter()
        _await_index(client)
        built = time.perf_counter() - began
        milliseconds = [
            _time(lambda question: _search(client, question), draw_question(rng))
            for _ in range(WARM + SEARCHES)
        ][WARM:]
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return {"p50_ms": float(p50), "p95_ms": float(p95), "passages": PASSAGES, "index_s": built}


def _await_index(client: httpx.Client) -> None:
    """Search until the index is there: its first search takes in all passages."""
    deadline = time.monotonic() + BUILD_SECONDS
    while client.post("/v1/search", json={"query": "battery"}).status_code != httpx.codes.OK:
        if time.monotonic() > deadline:
            raise TimeoutError("the index was not built")
        time.sleep(0.5)


def _search(client: httpx.Client, question: str) -> None:
    found = client.post("/v1/search", json={"query": question, "k": 10}).raise_for_status().json()
    if len(found["passages"]) != 10:
        raise RuntimeError(f"{len(found['passages'])} passages were found, not 10")


def _time(work: Callable[[str], None], question: str) -> float:
    began = time.perf_counter()
    work(question)
    return (time.perf_counter() - began) * 1000


def measure_quality(own: OwnSet, corpus: Corpus, embedder: Embedder | None) -> dict[str, Any]:
    """Return nDCG@10 by set and retriever, and the fused one over the better side."""
    found = {
        f"own_{name}": means
        for name, means in evaluate_retrieval(own, corpus).items()
        if name != "failing"
    }
    folder = Path(os.environ.get("LUNA_BENCH_DATA", "")) / "beir"
    if os.environ.get("LUNA_BENCH_DATA") and folder.is_dir():
        found |= {
            path.name: evaluate_set(path, embedder, progress=be_silent)
            for path in sorted(folder.iterdir())
            if path.is_dir()
        }
    sets = {
        name: means["ndcg_at_10"] | {"fused_over_better": _over_better(means["ndcg_at_10"])}
        for name, means in found.items()
    }
    ratios = [means["fused_over_better"] for means in sets.values()]
    return {
        "sets": sets,
        "least_fused_over_better": min(ratios),
        "most_fused_over_better": max(ratios),
    }


def _over_better(ndcg: dict[str, float | None]) -> float:
    better = max(value or 0.0 for name, value in ndcg.items() if name != "fused")
    return (ndcg["fused"] or 0.0) / better if better else 1.0


def measure_first_token(own: OwnSet, corpus: Corpus) -> float:
    """Return the milliseconds from a question to the first checked word of its answer, with a
    language model that answers at once.
    """
    with language_server() as server:
        server.says = lambda _messages: SENTENCE
        settings = Settings(language_url=f"{server.url}/v1", language_timeout=timedelta(seconds=30))
        return median(_first_token_ms(own, corpus, settings) for _ in range(FIRST_TOKENS))


def _first_token_ms(own: OwnSet, corpus: Corpus, settings: Settings) -> float:
    told: list[float] = []
    search = search_in(corpus, own.passages, site=SITE)
    answerer = Answerer(
        search=search,
        model=open_language(settings),
        embedder=corpus.embedder,
        on_first_text=lambda: told.append(time.perf_counter()),
    )
    began = time.perf_counter()
    answerer.answer(QuestionContext(QUESTION, NOW.date(), sites=(SITE,)))
    return (told[0] - began) * 1000


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
