"""Requests to a language model and the parsing of its stream: Ollama's protocol and OpenAI's.

Source: Ollama, "API: generate a chat completion" (a JSON document per line); OpenAI, "Chat completions: streaming" (server-sent events); WHATWG HTML, 9.2.6.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from luna.energy.errors import UnavailableError

# Room for the passages and the answer; Ollama's own default cuts the prompt without a word.
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
        read: parses a line of the stream. Raises UnavailableError where it is none of this protocol, or reports a failure.
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
    body = {"model": model, "messages": _turns(messages), "stream": True, "stream_options": {"include_usage": True}}
    return body | {"temperature": 0, "max_tokens": MOST_ANSWER_TOKENS}


def _read_openai(line: str) -> StreamPiece:
    name, _, data = line.partition(":")
    data = data.strip()
    # Comments and the stream's other fields say nothing of the answer.
    if name != "data" or not data:
        return StreamPiece()
    if data == "[DONE]":
        return StreamPiece(ended=True)
    document = _parse(data)
    usage = document.get("usage") or {}
    choices = document.get("choices") or [{}]
    delta = choices[0].get("delta") or {}
    return StreamPiece(text=_text(delta.get("content")), prompt_tokens=_count(usage.get("prompt_tokens")), answer_tokens=_count(usage.get("completion_tokens")))


def _parse(text: str) -> dict[str, Any]:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UnavailableError("the language model answers in no JSON", field="language_url") from exc
    if not _is_piece(document):
        raise UnavailableError("the language model answers in another form", field="language_url", remedy="Check LUNA_LANGUAGE_API.")
    if document.get("error"):
        raise UnavailableError("the language model tells a failure", field="language_url", value=str(document["error"])[:200])
    return cast("dict[str, Any]", document)


def _is_piece(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    choices = document.get("choices") or [{}]
    inner = [document.get("message") or {}, document.get("usage") or {}, choices[0] if isinstance(choices, list) else None]
    delta = inner[2].get("delta") or {} if isinstance(inner[2], dict) else None
    return all(isinstance(each, dict) for each in (*inner, delta))


def _turns(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


PROTOCOLS: dict[str, ChatProtocol] = {
    "ollama": ChatProtocol("/api/chat", _compose_ollama, _read_ollama),
    "openai": ChatProtocol("/chat/completions", _compose_openai, _read_openai),
}
