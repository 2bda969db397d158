"""Stream chat completions of a language model over Ollama's or OpenAI's protocol.

Requests have timeouts, can be cancelled, and are limited in number.

No retries: after a failure the answer is built from extracts at once.

Source: Ollama, "API: generate a chat completion" (a JSON document per line); OpenAI, "Chat
completions: streaming" (server-sent events); WHATWG HTML, 9.2.6.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, Protocol, cast

import httpx

from luna.energy.errors import UnavailableError
from luna.platform.checked_transport import trusted_certificates
from luna.platform.settings import Settings
from services.rag.model_server import server_headers

# Room for passages and answer; Ollama's smaller default truncates the prompt silently.
CONTEXT_TOKENS = 8192
MOST_ANSWER_TOKENS = 700


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of a conversation with a model."""

    role: Literal["system", "user"]
    content: str


@dataclass(frozen=True, slots=True)
class StreamPiece:
    """One line of a stream."""

    text: str = ""
    ended: bool = False
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ChatProtocol:
    """The protocol of one kind of server.

    Attributes:
        path: below the server's address.
        compose: returns a request's body for a model and its messages.
        read: parses a line of the stream. Raises UnavailableError where it is malformed, or reports
            a failure.
    """

    path: str
    compose: Callable[[str, Sequence[ChatMessage]], dict[str, Any]]
    read: Callable[[str], StreamPiece]


def _compose_ollama(model: str, messages: Sequence[ChatMessage]) -> dict[str, Any]:
    options = {"temperature": 0, "num_ctx": CONTEXT_TOKENS, "num_predict": MOST_ANSWER_TOKENS}
    return {"model": model, "messages": _turns(messages), "stream": True, "options": options}


def _read_ollama(line: str) -> StreamPiece:
    if not line.strip():
        return StreamPiece()
    document = _parse(line)
    message = document.get("message") or {}
    return StreamPiece(
        text=_text(message.get("content")),
        ended=document.get("done") is True,
        prompt_tokens=_count(document.get("prompt_eval_count")),
        answer_tokens=_count(document.get("eval_count")),
    )


def _compose_openai(model: str, messages: Sequence[ChatMessage]) -> dict[str, Any]:
    body = {
        "model": model,
        "messages": _turns(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return body | {"temperature": 0, "max_tokens": MOST_ANSWER_TOKENS}


def _read_openai(line: str) -> StreamPiece:
    name, _, data = line.partition(":")
    data = data.strip()
    # Comments and other fields of server-sent events carry no text.
    if name != "data" or not data:
        return StreamPiece()
    if data == "[DONE]":
        return StreamPiece(ended=True)
    document = _parse(data)
    usage = document.get("usage") or {}
    choices = document.get("choices") or [{}]
    delta = choices[0].get("delta") or {}
    return StreamPiece(
        text=_text(delta.get("content")),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        answer_tokens=_count(usage.get("completion_tokens")),
    )


def _parse(text: str) -> dict[str, Any]:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UnavailableError(
            "the language model answers in no JSON", field="language_url"
        ) from exc
    if not _is_piece(document):
        raise UnavailableError(
            "the language model answers in another form",
            field="language_url",
            remedy="Check LUNA_LANGUAGE_API.",
        )
    if document.get("error"):
        raise UnavailableError(
            "the language model tells a failure",
            field="language_url",
            value=str(document["error"])[:200],
        )
    return cast("dict[str, Any]", document)


def _is_piece(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    choices = document.get("choices") or [{}]
    choice = choices[0] if isinstance(choices, list) else None
    if not isinstance(choice, dict):
        return False
    parts = (document.get("message"), document.get("usage"), choice.get("delta"))
    return all(isinstance(part or {}, dict) for part in parts)


def _turns(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < 2**31 else None


PROTOCOLS: dict[str, ChatProtocol] = {
    "ollama": ChatProtocol("/api/chat", _compose_ollama, _read_ollama),
    "openai": ChatProtocol("/chat/completions", _compose_openai, _read_openai),
}


CONNECT_TIMEOUT = timedelta(seconds=3)
# Share of the timeout for the first token: a model may be loading, but an answer begun later would
# not be complete in time.
FIRST_TOKEN_SHARE = 0.5
# Interval of the check whether the asker has left.
LOOK_SECONDS = 0.2
# Limits against a server whose answer or line does not end.
MOST_CHARACTERS = 20_000
MOST_LINE_BYTES = 1_000_000


class GaveUpError(UnavailableError):
    """The asker has left."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A model's reply with its time to the first token, and token counts if reported."""

    text: str
    first_token_seconds: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


class LanguageModel(Protocol):
    """Generates text from messages."""

    @property
    def model(self) -> str:
        """The model's name on its server."""
        ...

    def generate(
        self,
        messages: Sequence[ChatMessage],
        *,
        on_text: Callable[[str], None],
        gave_up: Callable[[], bool],
    ) -> Generation:
        """Return the model's reply; ``on_text`` receives each piece as it arrives.

        Raises:
            UnavailableError: the server is away, busy or too slow, or its answer is unreadable.
            GaveUpError: ``gave_up`` became true.
        """
        ...


@dataclass(frozen=True)
class ChatModel:
    """A model on a server.

    Args:
        timeout: for the whole answer once a seat is free; half of it for the seat, and half for the
            first token.
        seats: semaphore of this process's concurrent requests.
    """

    url: str
    model: str
    protocol: ChatProtocol
    timeout: timedelta
    seats: threading.Semaphore
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    def generate(
        self,
        messages: Sequence[ChatMessage],
        *,
        on_text: Callable[[str], None],
        gave_up: Callable[[], bool],
    ) -> Generation:
        """Return the model's reply; see ``LanguageModel``."""
        if not self.seats.acquire(timeout=self.timeout.total_seconds() * FIRST_TOKEN_SHARE):
            raise UnavailableError(
                "the language model is busy",
                field="language_url",
                remedy="Ask again later, or raise LUNA_LANGUAGE_CONCURRENCY.",
            )
        try:
            return asyncio.run(self._generate(messages, on_text, gave_up))
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise UnavailableError(
                "the language model is away", field="language_url", value=type(exc).__name__
            ) from exc
        except TimeoutError as exc:
            raise UnavailableError(
                "the language model is too slow",
                field="language_url",
                remedy="Raise LUNA_LANGUAGE_TIMEOUT.",
            ) from exc
        finally:
            self.seats.release()

    async def _generate(
        self,
        messages: Sequence[ChatMessage],
        on_text: Callable[[str], None],
        gave_up: Callable[[], bool],
    ) -> Generation:
        speaking = asyncio.create_task(self._listen(messages, on_text))
        try:
            while not speaking.done():
                await asyncio.wait((speaking,), timeout=LOOK_SECONDS)
                if not speaking.done() and gave_up():
                    raise GaveUpError("nobody waits for the answer any more")
            return speaking.result()
        finally:
            speaking.cancel()
            await asyncio.wait((speaking,))

    async def _listen(
        self, messages: Sequence[ChatMessage], on_text: Callable[[str], None]
    ) -> Generation:
        begun = time.perf_counter()
        partial = _PartialReply()
        total = self.timeout.total_seconds()
        body = self.protocol.compose(self.model, messages)
        timeout = httpx.Timeout(total, connect=CONNECT_TIMEOUT.total_seconds())
        async with (
            asyncio.timeout(total * FIRST_TOKEN_SHARE) as patience,
            httpx.AsyncClient(
                timeout=timeout, headers=self.headers, verify=trusted_certificates()
            ) as client,
            client.stream("POST", self.url.rstrip("/") + self.protocol.path, json=body) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise UnavailableError(
                    f"the language model answers {response.status_code}", field="language_url"
                )
            async for line in _lines(response):
                piece = self.protocol.read(line)
                if piece.text and partial.first_token_seconds is None:
                    partial.first_token_seconds = time.perf_counter() - begun
                    patience.reschedule(
                        asyncio.get_running_loop().time() + total - partial.first_token_seconds
                    )
                partial.add(piece)
                if piece.text:
                    on_text(piece.text)
                if piece.ended:
                    return partial.generation()
        raise UnavailableError("the language model broke off", field="language_url")


@dataclass
class _PartialReply:
    """The reply as far as it has arrived."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    first_token_seconds: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None

    def add(self, piece: StreamPiece) -> None:
        """Append a piece.

        Raises:
            UnavailableError: the answer is too long.
        """
        self.prompt_tokens = piece.prompt_tokens or self.prompt_tokens
        self.answer_tokens = piece.answer_tokens or self.answer_tokens
        self.length += len(piece.text)
        if self.length > MOST_CHARACTERS:
            raise UnavailableError(
                "the language model does not come to an end", field="language_url"
            )
        self.pieces.append(piece.text)

    def generation(self) -> Generation:
        return Generation(
            "".join(self.pieces), self.first_token_seconds, self.prompt_tokens, self.answer_tokens
        )


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the lines of a stream, each of limited length."""
    rest = b""
    async for part in response.aiter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > MOST_LINE_BYTES:
            raise UnavailableError(
                "the language model answers in a line without end", field="language_url"
            )
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")
    if rest:
        yield rest.decode(errors="replace")


_SEATS: dict[int, threading.Semaphore] = {}
_SEATS_LOCK = threading.Lock()


def open_language(settings: Settings) -> LanguageModel | None:
    """Return the language model of the settings; None where there is none."""
    if settings.language_url is None:
        return None
    api = settings.language_api or "ollama"
    url = settings.language_url.rstrip("/")
    if api == "openai" and "/" not in url.partition("://")[2]:
        url = f"{url}/v1"
    with _SEATS_LOCK:
        # All models of this process share one semaphore per limit.
        seats = _SEATS.setdefault(
            settings.language_concurrency, threading.BoundedSemaphore(settings.language_concurrency)
        )
    return ChatModel(
        url,
        settings.language_model,
        PROTOCOLS[api],
        settings.language_timeout,
        seats,
        server_headers(settings),
    )
