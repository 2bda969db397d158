"""Value templates of devices, and the number that they find in a message.

A template is either understood or refused; nothing is guessed. Most are ``{{ value }}`` or
``{{ value_json.a['b'][0] }}`` with one factor or divisor and the filters float, int, round and
is_defined, which leave the number as it was sent: these need no evaluation. Any other is an
expression.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from luna.energy.errors import InvalidInputError
from services.ingest.sources.mqtt.expression import compile_expression
from services.ingest.sources.mqtt.payload import MISSING, decode_json, descend, read_number

_FILTERS = r"(?:\s*\|\s*(?:float|int|round|is_defined)(?:\([^()|]*\))?)*"
_PATH = r"(?:\.\w+|\[\s*(?:'[^']*'|\"[^\"]*\"|\d+)\s*\])*"
_FACTOR = r"(?:(?P<sign>[*/])\s*(?P<factor>\d+(?:\.\d+)?))?"
_VALUE = re.compile(
    r"\{\{-?\s*\(?\s*"
    rf"(?P<root>value_json|value)(?P<path>{_PATH}){_FILTERS}"
    rf"\s*\)?\s*{_FACTOR}{_FILTERS}"
    r"\s*-?\}\}"
)
_STEP = re.compile(r"\.(\w+)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(\d+))\s*\]")


class Template(Protocol):
    """Finds a value in a message, to be multiplied by ``factor``."""

    @property
    def factor(self) -> float: ...

    def find(self, payload: str) -> object | None:
        """Return the value in a message, or None if there is none.

        Raises:
            InvalidInputError: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a value in a message.

    ``path`` holds the keys and indices into the message's JSON; None stands for the message itself.
    """

    path: tuple[str | int, ...] | None = None
    factor: float = 1.0

    def find(self, payload: str) -> object | None:
        """Return the value at this place, or None if there is none.

        Raises:
            InvalidInputError: the message is not JSON although that is expected.
        """
        if self.path is None:
            return payload
        value = decode_json(payload)
        for step in self.path:
            value = descend(value, step)
            if value is MISSING:
                return None
        return "unknown" if value is None else value


PLAIN = Place()


def parse_template(text: str | None) -> Template:
    """Parse a value template; without text, the value is the message itself.

    Raises:
        InvalidInputError: it is not understood.
    """
    if text is None or not text.strip():
        return PLAIN
    match = _VALUE.fullmatch(text.strip())
    if match is None or (match["root"] == "value" and match["path"]):
        return compile_expression(text.strip())
    factor = float(match["factor"] or 1)
    if factor == 0:
        raise InvalidInputError(
            "is a value template without a value", field="value_template", value=text
        )
    if match["sign"] == "/":
        factor = 1 / factor
    if match["root"] == "value":
        return Place(None, factor)
    steps: list[str | int] = []
    for attribute, quoted, double_quoted, index in _STEP.findall(match["path"]):
        if index:
            steps.append(int(index))
        else:
            steps.append(attribute or quoted or double_quoted)
    return Place(tuple(steps), factor)


def parse_path(text: str) -> Place:
    """Parse a dotted path into JSON, where numbers are indices; no text is the message itself."""
    if not text:
        return PLAIN
    steps = [int(step) if step.isdigit() else step for step in text.split(".")]
    return Place(tuple(steps))


Decoder = Callable[[str], float | None]


def decoder(template: Template, *, on: str | None = None, off: str | None = None) -> Decoder:
    """Return a function that reads a message's number, or None if the message has none.

    Args:
        template: where the value stands.
        on: the word for on, where the sensor is a switch.
        off: the word for off.
    """

    def decode(payload: str) -> float | None:
        value = template.find(payload)
        if value is None or value == "":
            return None
        return read_number(value, on, off) * template.factor

    return decode
