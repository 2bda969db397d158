"""What the probes make of servers that are well, unwell, silent, strange or not there."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from luna.energy.errors import LunaError
from luna.platform.embedded.supervisor import Addresses
from luna.platform.health.probes import probes_for
from luna.platform.health.readiness import check_all
from luna.platform.settings import Settings
from tests.support.suite.tables import each_row

NOWHERE = Addresses(
    database_url="postgresql://luna:geheim@127.0.0.1:9/luna",
    redis_url="redis://:geheim@127.0.0.1:9/0",
)
BOTH = {"models": [{"name": "llama3.1:8b-instruct"}, {"name": "nomic-embed-text:latest"}]}

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that gives one answer to whoever asks for ``path`` with ``headers``, and 404
    to everybody else.
    """
    servers: list[HTTPServer] = []

    def start(
        path: str, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.path == path and (headers or {}).items() <= dict(self.headers).items()
                self.send_response(status if known else 404)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        # It looks so often whether it is to end.
        serving = threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True)
        serving.start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


def probe(name: str, settings: Settings) -> str:
    return probes_for([name], settings, NOWHERE)[name]()


def test_vectors_that_are_ready_answer(serve: Serve) -> None:
    url = serve("/readyz", 200, b"all shards are ready", {"api-key": "geheim"})
    assert (
        probe("vectors", settings(vectors_url=url, vectors_api_key=SecretStr("geheim")))
        == "answers"
    )


def test_vectors_that_still_start_are_not_ready(serve: Serve) -> None:
    with pytest.raises(LunaError, match="answers 503"):
        probe("vectors", settings(vectors_url=serve("/readyz", 503)))


def test_both_models_are_seen_whether_or_not_their_tag_is_written(serve: Serve) -> None:
    assert (
        probe("language", settings(language_url=serve("/api/tags", 200, json.dumps(BOTH).encode())))
        == "both models are there"
    )


def test_a_model_that_is_not_pulled_is_named_with_its_remedy_and_is_no_failure(
    serve: Serve,
) -> None:
    url = serve("/api/tags", 200, b'{"models": [{"name": "nomic-embed-text:latest"}]}')
    assert "ollama pull llama3.1:8b-instruct" in probe("language", settings(language_url=url))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"models": [{}]}', b'{"models": null}', b"\xff"]
)
def test_what_is_no_list_of_models_is_no_ollama(serve: Serve, body: bytes) -> None:
    with pytest.raises(LunaError, match="list of models"):
        probe("language", settings(language_url=serve("/api/tags", 200, body)))


def test_an_ollama_that_fails_is_not_ready(serve: Serve) -> None:
    with pytest.raises(LunaError, match="answers 500"):
        probe("language", settings(language_url=serve("/api/tags", 500)))


@pytest.mark.parametrize("suffix", ["/v1", "/v1/"])
def test_a_server_of_openais_protocol_is_asked_in_its_own_way(serve: Serve, suffix: str) -> None:
    assert probe("language", settings(language_url=serve("/v1/models", 200) + suffix)) == "answers"
    with pytest.raises(LunaError, match="401"):
        probe("language", settings(language_url=serve("/v1/models", 401) + suffix))


@each_row("name", ["vectors", "language"])
@each_row(
    "url",
    [
        "http://127.0.0.1:9",
        "http://host.invalid:80",
        "127.0.0.1:9",
        "http://127.0.0.1:port",
        "http://[",
        "ftp://127.0.0.1",
    ],
)
def test_where_nothing_answers_a_check_fails_and_names_the_address(name: str, url: str) -> None:
    wanting = settings(vectors_url=url, language_url=url)
    [check] = check_all(probes_for([name], wanting, NOWHERE), patience=timedelta(seconds=30))
    assert not check.ok
    assert url in check.detail


def test_a_store_of_objects_that_is_away_fails_and_names_its_address() -> None:
    wanting = settings(objects_url="http://127.0.0.1:9", objects_secret_key=SecretStr("geheim"))
    [check] = check_all(probes_for(["objects"], wanting, NOWHERE), patience=timedelta(seconds=30))
    assert not check.ok
    assert "http://127.0.0.1:9" in check.detail


@pytest.mark.parametrize("name", ["vectors", "language"])
def test_a_server_that_speaks_something_else_fails(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            caller, _ = listener.accept()
            with caller:
                caller.sendall(b"220 mail.example ESMTP\r\n")
                caller.recv(1024)

        threading.Thread(target=greet, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(LunaError, match="does not answer"):
            probe(name, settings(vectors_url=url, language_url=url))


@pytest.mark.parametrize("name", ["vectors", "language"])
def test_a_silent_server_is_not_waited_for(name: str, silent: str) -> None:
    [check] = check_all(
        probes_for([name], settings(vectors_url=silent, language_url=silent), NOWHERE),
        patience=timedelta(seconds=0.1),
    )
    assert (check.ok, check.detail) == (False, "no answer within 0.1 s")


def test_what_has_no_address_is_part_of_luna_and_there(tmp_path: Path) -> None:
    checks = check_all(
        probes_for(["objects", "vectors", "language"], settings(data_folder=tmp_path), NOWHERE),
        patience=timedelta(seconds=30),
    )
    assert all(check.ok for check in checks)
    assert str(tmp_path) in checks[0].detail


def test_servers_that_are_away_fail_without_a_secret_in_the_words() -> None:
    checks = check_all(
        probes_for(["database", "redis"], settings(), NOWHERE), patience=timedelta(seconds=30)
    )
    assert [(check.name, check.ok) for check in checks] == [("database", False), ("redis", False)]
    assert "geheim" not in str(checks)
