"""Requests made from a command's options."""

from typing import Any, TypeVar

from pydantic import ValidationError

from luna.contracts.message import Message
from luna.site import invalid_input

RequestT = TypeVar("RequestT", bound=Message)


def compose_request(kind: type[RequestT], **values: Any) -> RequestT:
    """Return the request that the options make; those that are None were not given.

    Raises:
        InvalidInputError: names the wrong option, its value and the remedy.
    """
    try:
        return kind.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc
