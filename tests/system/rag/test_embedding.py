"""Text becomes vectors: by Luna's own model, by a server that speaks Ollama's or OpenAI's way, and
what is said where it cannot.
"""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from luna.contracts.search import Passage
from luna.energy.errors import UnavailableError
from luna.platform.settings import Settings, load_settings
from services.rag.embedding import open_embedder, prepare_embedder
from services.rag.retrieval.search import rerank

Answer = Callable[[str, dict[str, object]], tuple[int, bytes]]


class Server(ThreadingHTTPServer):
    """Speaks as ``answer`` does, and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, object], str | None]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, document, self.headers.get("Authorization")))
        status, body = self.server.answer(self.path, document)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    running: list[Server] = []

    def start(answer: Answer) -> Server:
        server = Server(answer)
        Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def ollama(_path: str, document: dict[str, object]) -> tuple[int, bytes]:
    texts = document["input"]
    assert isinstance(texts, list)
    return 200, json.dumps(
        {"embeddings": [[3.0, 4.0, float(len(text) % 2)] for text in texts]}
    ).encode()


def openai(_path: str, document: dict[str, object]) -> tuple[int, bytes]:
    texts = document["input"]
    assert isinstance(texts, list)
    return 200, json.dumps({"data": [{"embedding": [0.0, 2.0]} for _ in texts]}).encode()


def test_ollama_is_asked_in_the_models_own_words_and_vectors_are_of_unit_length(
    serve: Callable[[Answer], Server],
) -> None:
    server = serve(ollama)
    embedder = open_embedder(Settings(language_url=server.url))
    assert embedder is not None
    vectors = embedder.embed(["why?", "so"], role="query")
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1])
    assert (embedder.dimensions, embedder.speaks_one_language) == (3, True)
    path, document, _ = server.asked[0]
    assert (path, document) == (
        "/api/embed",
        {"model": "nomic-embed-text", "input": ["search_query: why?", "search_query: so"]},
    )


def test_openais_way_is_spoken_with_the_key(serve: Callable[[Answer], Server]) -> None:
    server = serve(openai)
    settings = Settings(
        language_url=server.url,
        language_api="openai",
        language_key="secret",
        embedding_model="bge-m3",
    )  # type: ignore[arg-type]
    embedder = open_embedder(settings)
    assert embedder is not None
    assert embedder.embed(["warum?"]).tolist() == [[0, 1]]
    assert (server.asked[0][0], server.asked[0][2], embedder.speaks_one_language) == (
        "/v1/embeddings",
        "Bearer secret",
        False,
    )


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda *_: (404, b'{"error": "model not found"}'), id="no such model"),
        pytest.param(lambda *_: (200, b"<html>"), id="no JSON"),
        pytest.param(lambda *_: (200, b'{"embeddings": [[1, 2]]}'), id="too few"),
        pytest.param(lambda *_: (200, b'{"embeddings": [[1, 2], [1]]}'), id="ragged"),
        pytest.param(lambda *_: (200, b'{"embeddings": [[1, NaN], [1, 2]]}'), id="not a number"),
        pytest.param(lambda *_: (200, b'{"embeddings": null}'), id="null"),
    ],
)
def test_what_a_server_gets_wrong_is_said(
    serve: Callable[[Answer], Server], answer: Answer
) -> None:
    embedder = open_embedder(Settings(language_url=serve(answer).url))
    assert embedder is not None
    with pytest.raises(UnavailableError) as caught:
        embedder.embed(["one", "two"])
    assert caught.value.field == "language_url"


def found(*texts: str) -> list[Passage]:
    return [
        Passage(
            chunk_id=number,
            document_id="d",
            title="t",
            name="n",
            kind="other",
            position=number,
            text=text,
            score=1 - number / 10,
        )
        for number, text in enumerate(texts)
    ]


def test_a_re_ranking_model_puts_passages_in_its_order(serve: Callable[[Answer], Server]) -> None:
    rows = [
        {"index": 1, "relevance_score": 0.9},
        {"index": 0, "relevance_score": -2.5},
        {"index": 2, "relevance_score": 0.1},
    ]
    server = serve(lambda *_: (200, json.dumps({"results": rows}).encode()))
    passages, model = rerank(
        Settings(language_url=f"{server.url}/v1", rerank_model="bge-reranker"),
        "why?",
        found("a", "b", "c"),
    )
    assert ([each.text for each in passages], model) == (["b", "c", "a"], "bge-reranker")
    assert server.asked[0][:2] == (
        "/v1/rerank",
        {"model": "bge-reranker", "query": "why?", "documents": ["a", "b", "c"], "top_n": 3},
    )


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda *_: (500, b""), id="broken"),
        pytest.param(
            lambda *_: (200, b'{"results": [{"index": 0, "relevance_score": 1}]}'), id="too few"
        ),
        pytest.param(
            lambda *_: (
                200,
                (
                    b'{"results": [{"index": 0, "relevance_score": 1}, {"index": 5, '
                    b'"relevance_score": 1}]}'
                ),
            ),
            id="another",
        ),
        pytest.param(
            lambda *_: (
                200,
                (
                    b'{"results": [{"index": 0, "relevance_score": NaN}, {"index": 1, '
                    b'"relevance_score": 1}]}'
                ),
            ),
            id="not a number",
        ),
        pytest.param(lambda *_: (200, b"[]"), id="no object"),
    ],
)
def test_without_its_order_passages_stay_as_they_were_found(
    serve: Callable[[Answer], Server], answer: Answer
) -> None:
    passages, model = rerank(
        Settings(language_url=serve(answer).url, rerank_model="bge-reranker"),
        "why?",
        found("a", "b"),
    )
    assert ([each.text for each in passages], model) == (["a", "b"], None)


def test_a_server_that_is_away_is_said() -> None:
    embedder = open_embedder(Settings(language_url="http://127.0.0.1:9"))
    assert embedder is not None
    with pytest.raises(UnavailableError):
        embedder.embed(["one"])


def test_without_a_model_and_without_leave_to_fetch_one_there_is_none(tmp_path: Path) -> None:
    assert prepare_embedder(Settings(data_folder=tmp_path, embedding_download=False)) is None


def test_lunas_own_model_gives_the_vectors_that_its_authors_programme_gives() -> None:
    embedder = prepare_embedder(
        Settings(cache_folder=load_settings().cache.resolve(), embedding_download=True)
    )
    assert embedder is not None
    texts = ["The battery stores surplus solar energy.", "Wie hoch ist der Arbeitspreis?", "A cat."]
    # The first four components by transformers 5 and torch 2.13 from the same weights, mean of the
    # tokens, normalised.
    expected = [
        [-0.05423675, 0.1373057, -0.03695561, 0.03324467],
        [-0.03168575, 0.09455719, -0.02331486, -0.00094146],
        [0.0618504, 0.03988271, 0.00391443, 0.07532816],
    ]
    vectors = embedder.embed(texts)
    assert vectors.shape == (3, embedder.dimensions)
    assert vectors[:, :4] == pytest.approx(np.array(expected), abs=1e-5)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert embedder.embed(texts[2:])[0] == pytest.approx(vectors[2], abs=1e-5)
