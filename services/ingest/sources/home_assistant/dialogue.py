"""The words of Home Assistant's websocket, apart from the wire. Source: Home Assistant developer documentation, WebSocket API."""

import json
from typing import Any

from services.ingest.sources.home_assistant.access import NAME
from services.ingest.sources.source import SourceError, SourceRefusedError

# What asking again in the same words would answer in the same way.
REFUSALS = {"invalid_format", "unknown_command", "unauthorized", "not_found", "not_supported"}
Message = dict[str, Any]


def write_auth(token: str) -> str:
    """Return what answers ``auth_required``."""
    return json.dumps({"type": "auth", "access_token": token})


def check_auth(message: Message) -> None:
    """See that the token was accepted.

    Raises:
        SourceRefusedError: it was not.
        SourceError: something else was said.
    """
    if message["type"] == "auth_invalid":
        remedy = "Make a new long-lived access token and set LUNA_HOME_ASSISTANT_TOKEN."
        raise SourceRefusedError("Home Assistant does not accept the token", field="LUNA_HOME_ASSISTANT_TOKEN", remedy=remedy)
    if message["type"] != "auth_ok":
        raise SourceError("its greeting has a form that nobody here reads", field=NAME, value=message["type"])


def parse_messages(frame: str | bytes) -> list[Message]:
    """Return the messages of a frame: one, or several that were coalesced.

    Raises:
        SourceError: no JSON, or no messages.
    """
    try:
        document = json.loads(frame)
    except ValueError as exc:
        raise SourceError("its message is no JSON", field=NAME) from exc
    messages = document if isinstance(document, list) else [document]
    if not all(isinstance(message, dict) and "type" in message for message in messages):
        raise SourceError("its message has a form that nobody here reads", field=NAME)
    return messages


def read_result(message: Message) -> Any:
    """Return what a command brought.

    Raises:
        SourceRefusedError: it is refused.
        SourceError: it failed for now.
    """
    if message.get("success"):
        return message.get("result")
    error = message.get("error") or {}
    kind = SourceRefusedError if error.get("code") in REFUSALS else SourceError
    raise kind(f"Home Assistant refuses: {error.get('message', 'no reason given')}", field=NAME, value=error.get("code"))
