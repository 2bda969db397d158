"""A language model's server on this machine, in both protocols: it says what a test gives it, and
fails the ways such servers do.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Fault = Literal[
    "none",
    "refuses",
    "breaks_off",
    "no_json",
    "other_form",
    "endless",
    "endless_line",
    "silent",
    "stalls",
]
OLLAMA = "/api/chat"
OPENAI = "/v1/chat/completions"


@dataclass
class LanguageServer:
    """What the server says and how.

    Attributes:
        says: returns the answer to a request's messages.
        hold: while it is not set, a server that stalls says nothing more.
    """

    url: str = ""
    says: Callable[[list[dict[str, str]]], str] = lambda _: "A fine answer [1]."
    fault: Fault = "none"
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)


@contextmanager
def language_server() -> Iterator[LanguageServer]:
    """Run the server on a free port."""
    state = LanguageServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append(body)
            state.headers.append(dict(self.headers))
            _answer(self, state, body)

        def log_message(self, *_: object) -> None:
            """Say nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, state: LanguageServer, body: dict[str, Any]) -> None:
    if state.fault == "refuses":
        handler.send_error(500)
        return
    handler.send_response(200)
    handler.end_headers()
    try:
        for line in _stream(state, body, openai=handler.path == OPENAI):
            handler.wfile.write(line)
            handler.wfile.flush()
    except (BrokenPipeError, ConnectionResetError):
        state.left.set()


def _stream(state: LanguageServer, body: dict[str, Any], *, openai: bool) -> Iterator[bytes]:
    if state.fault == "silent":
        yield from _wait(state)
        return
    broken = {"no_json": "{bad", "other_form": '["other"]', "endless_line": "x"}
    if state.fault in broken:
        for _ in range(3000 if state.fault == "endless_line" else 1):
            yield b"data: " * openai + broken[state.fault].encode() * (
                1000 if state.fault == "endless_line" else 1
            )
        yield b"\n"
        return
    for word in _words(state, body):
        yield (
            _openai({"choices": [{"delta": {"content": word}}]})
            if openai
            else _ollama({"message": {"content": word}, "done": False})
        )
        if state.fault == "stalls":
            yield from _wait(state)
    if state.fault == "breaks_off":
        return
    if openai:
        yield _openai({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}})
        yield b"data: [DONE]\n\n"
    else:
        yield _ollama(
            {"message": {"content": ""}, "done": True, "prompt_eval_count": 11, "eval_count": 7}
        )


def _words(state: LanguageServer, body: dict[str, Any]) -> Iterator[str]:
    answer = state.says(body["messages"])
    while state.fault == "endless":
        yield answer
    yield from (answer[start : start + 8] for start in range(0, len(answer), 8))


def _wait(state: LanguageServer) -> Iterator[bytes]:
    # A byte that says nothing now and then finds out that whoever asked has left.
    while not state.hold.is_set():
        time.sleep(0.02)
        yield b"\n"


def _ollama(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _openai(document: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"
