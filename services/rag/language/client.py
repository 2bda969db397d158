"""Ask a language model, hear its words as they come, stop it when nobody listens any more. Nothing is tried twice: extracts answer at once instead."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import httpx

from luna.energy.errors import UnavailableError
from luna.platform.settings import Settings
from services.rag.language.protocols import PROTOCOLS, ChatMessage, ChatProtocol, StreamPiece
from services.rag.model_server import server_headers

CONNECT_TIMEOUT = timedelta(seconds=3)
# A model that is loaded first says nothing for a while; what is said after half of the time is not said to its end anyway.
FIRST_TOKEN_SHARE = 0.5
# How often somebody looks whether the asker has left.
LOOK_SECONDS = 0.2
# No answer is longer; a server that goes on and on fills no memory.
MOST_CHARACTERS = 20_000
MOST_LINE_BYTES = 1_000_000


class GaveUpError(UnavailableError):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A model's reply and its cost; tokens where the server counts them."""

    text: str
    first_token_seconds: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


class LanguageModel(Protocol):
    """Generates text from messages."""

    @property
    def model(self) -> str:
        """The model's name, as its server calls it."""
        ...

    def generate(self, messages: Sequence[ChatMessage], *, on_text: Callable[[str], None], gave_up: Callable[[], bool]) -> Generation:
        """Return the model's reply; each piece goes to ``on_text`` before.

        Raises:
            UnavailableError: it is away, busy, too slow, or says nothing that can be read.
            GaveUpError: ``gave_up`` became true.
        """
        ...


@dataclass(frozen=True)
class ChatModel:
    """A model on a server.

    Args:
        timeout: for the whole answer; half of it for the first word.
        seats: how many questions of this process the server answers at once.
    """

    url: str
    model: str
    protocol: ChatProtocol
    timeout: timedelta
    seats: threading.Semaphore
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    def generate(self, messages: Sequence[ChatMessage], *, on_text: Callable[[str], None], gave_up: Callable[[], bool]) -> Generation:
        """Return the model's reply; see ``LanguageModel``."""
        if not self.seats.acquire(timeout=self.timeout.total_seconds() * FIRST_TOKEN_SHARE):
            raise UnavailableError("the language model is busy", field="language_url", remedy="Ask again later, or raise LUNA_LANGUAGE_CONCURRENCY.")
        try:
            return asyncio.run(self._generate(messages, on_text, gave_up))
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise UnavailableError("the language model is away", field="language_url", value=type(exc).__name__) from exc
        except TimeoutError as exc:
            raise UnavailableError("the language model is too slow", field="language_url", remedy="Raise LUNA_LANGUAGE_TIMEOUT.") from exc
        finally:
            self.seats.release()

    async def _generate(self, messages: Sequence[ChatMessage], on_text: Callable[[str], None], gave_up: Callable[[], bool]) -> Generation:
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

    async def _listen(self, messages: Sequence[ChatMessage], on_text: Callable[[str], None]) -> Generation:
        begun = time.perf_counter()
        partial = _PartialReply()
        total = self.timeout.total_seconds()
        body = self.protocol.compose(self.model, messages)
        timeout = httpx.Timeout(total, connect=CONNECT_TIMEOUT.total_seconds())
        async with (
            asyncio.timeout(total * FIRST_TOKEN_SHARE) as patience,
            httpx.AsyncClient(timeout=timeout, headers=self.headers) as client,
            client.stream("POST", self.url.rstrip("/") + self.protocol.path, json=body) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise UnavailableError(f"the language model answers {response.status_code}", field="language_url")
            async for line in _lines(response):
                piece = self.protocol.read(line)
                if piece.text and partial.first_token_seconds is None:
                    partial.first_token_seconds = time.perf_counter() - begun
                    patience.reschedule(asyncio.get_running_loop().time() + total - partial.first_token_seconds)
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
        """Take a piece.

        Raises:
            UnavailableError: no answer is so long.
        """
        self.prompt_tokens, self.answer_tokens = piece.prompt_tokens or self.prompt_tokens, piece.answer_tokens or self.answer_tokens
        self.length += len(piece.text)
        if self.length > MOST_CHARACTERS:
            raise UnavailableError("the language model does not come to an end", field="language_url")
        self.pieces.append(piece.text)

    def generation(self) -> Generation:
        return Generation("".join(self.pieces), self.first_token_seconds, self.prompt_tokens, self.answer_tokens)


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the lines of a stream; one without an end fills no memory."""
    rest = b""
    async for part in response.aiter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > MOST_LINE_BYTES:
            raise UnavailableError("the language model answers in a line without end", field="language_url")
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
    seats = _seats(settings.language_concurrency)
    return ChatModel(url, settings.language_model, PROTOCOLS[api], settings.language_timeout, seats, server_headers(settings))


def _seats(most: int) -> threading.Semaphore:
    """Return the one semaphore of this process for so many."""
    with _SEATS_LOCK:
        return _SEATS.setdefault(most, threading.BoundedSemaphore(most))
