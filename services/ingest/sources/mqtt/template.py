"""What a message says: the value templates of devices, and the number in what they point at.

A template is either understood or refused; nothing is guessed. Most are ``{{ value }}`` or
``{{ value_json.a['b'][0] }}``, with the filters float, int, round, is_defined, which leave the
number as it was sent, and one factor or divisor: these are read without an evaluation. Any other is
an expression.
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
_VALUE = re.compile(
    rf"\{{\{{-?\s*\(?\s*(?P<root>value_json|value)(?P<path>{_PATH}){_FILTERS}\s*\)?\s*(?:(?P<sign>[*/])\s*(?P<factor>\d+(?:\.\d+)?))?{_FILTERS}\s*-?\}}\}}"
)
_STEP = re.compile(r"\.(\w+)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(\d+))\s*\]")


class Template(Protocol):
    """Finds a value in a message; ``factor`` is what one of it counts."""

    @property
    def factor(self) -> float: ...

    def find(self, payload: str) -> object | None:
        """Return what the message says; None where it says nothing.

        Raises:
            InvalidInputError: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a message a value stands.

    ``path`` None: the message itself; else keys and places into its JSON.
    """

    path: tuple[str | int, ...] | None = None
    factor: float = 1.0

    def find(self, payload: str) -> object | None:
        """Return what the message says there; None where it says nothing there.

        Raises:
            InvalidInputError: JSON is expected, and it is none.
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
    """Return the template that ``text`` is; without text, the message itself.

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
    steps = tuple(
        int(place) if place else name or quoted or doubly
        for name, quoted, doubly, place in _STEP.findall(match["path"])
    )
    return Place(
        None if match["root"] == "value" else steps, 1 / factor if match["sign"] == "/" else factor
    )


def parse_path(text: str) -> Place:
    """Return the template of a dotted path into JSON.

    Numbers are places in a list. Nothing: the message itself.
    """
    return (
        Place(tuple(int(step) if step.isdigit() else step for step in text.split(".")))
        if text
        else PLAIN
    )


Decoder = Callable[[str], float | None]


def decoder(template: Template, *, on: str | None = None, off: str | None = None) -> Decoder:
    """Return what makes a number of a message: None where it says nothing there.

    Args:
        template: where the value stands.
        on: the word for on, where the sensor is a switch.
        off: the word for off.
    """

    def decode(payload: str) -> float | None:
        value = template.find(payload)
        return (
            None if value is None or value == "" else read_number(value, on, off) * template.factor
        )

    return decode
