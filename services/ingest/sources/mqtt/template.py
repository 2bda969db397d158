"""What a message says: the value templates in common use, and the number in what they point at.

A template is either understood or refused; nothing is guessed. Understood are ``{{ value }}`` and ``{{ value_json.a['b'][0] }}``, with the filters
float, int, round, is_defined, which leave the number as it was sent, and one factor or divisor.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from luna.errors import InvalidInputError

# What Home Assistant and devices say when they know no value.
UNKNOWN = frozenset({"unknown", "unavailable", "none", "null", "nan"})
TRUE, FALSE = frozenset({"on", "true"}), frozenset({"off", "false"})
_FILTERS = r"(?:\s*\|\s*(?:float|int|round|is_defined)(?:\([^()|]*\))?)*"
_PATH = r"(?:\.\w+|\[\s*(?:'[^']*'|\"[^\"]*\"|\d+)\s*\])*"
_VALUE = re.compile(
    rf"\{{\{{-?\s*\(?\s*(?P<root>value_json|value)(?P<path>{_PATH}){_FILTERS}\s*\)?\s*(?:(?P<sign>[*/])\s*(?P<factor>\d+(?:\.\d+)?))?{_FILTERS}\s*-?\}}\}}"
)
_STEP = re.compile(r"\.(\w+)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(\d+))\s*\]")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Template:
    """Where in a message a value stands. ``path`` None: the message itself; else keys and places into its JSON."""

    path: tuple[str | int, ...] | None = None
    factor: float = 1.0

    def find(self, payload: str) -> object | None:
        """Return what the message says there; None where it says nothing there.

        Raises:
            InvalidInputError: JSON is expected, and it is none.
        """
        if self.path is None:
            return payload
        value = _decode(payload)
        for step in self.path:
            value = _descend(value, step)
            if value is _MISSING:
                return None
        return "unknown" if value is None else value


PLAIN = Template()


def parse_template(text: str | None) -> Template:
    """Return the template that ``text`` is; without text, the message itself.

    Raises:
        InvalidInputError: it is of no form that is understood.
    """
    if text is None or not text.strip():
        return PLAIN
    found = _VALUE.fullmatch(text.strip())
    if found is None or (found["root"] == "value" and found["path"]):
        remedy = "Understood are {{ value }} and {{ value_json.a.b }}, with float, int, round and one factor; or name the topic itself: mqtt:topic#a.b."
        raise InvalidInputError("is a value template that Luna does not understand", field="value_template", value=text, remedy=remedy)
    factor = float(found["factor"] or 1)
    if factor == 0:
        raise InvalidInputError("is a value template without a value", field="value_template", value=text)
    path = None if found["root"] == "value" else tuple(_steps(found["path"]))
    return Template(path, 1 / factor if found["sign"] == "/" else factor)


def parse_path(text: str) -> Template:
    """Return the template of a dotted path into JSON; numbers are places in a list. Nothing: the message itself."""
    return Template(tuple(int(step) if step.isdigit() else step for step in text.split("."))) if text else PLAIN


def read_number(value: object, on: str | None, off: str | None) -> float:
    """Return the number that ``value`` is: 1 and 0 for what stands for on and off, NaN for what stands for unknown.

    Raises:
        InvalidInputError: it is none of these.
    """
    if isinstance(value, bool):
        return float(value)
    text = str(value).strip()
    if on is not None and text in {on, off}:
        return float(text == on)
    return _read_word(text)


def _read_word(text: str) -> float:
    word = text.lower()
    if word in UNKNOWN:
        return math.nan
    if word in TRUE | FALSE:
        return float(word in TRUE)
    try:
        number = float(text)
    except ValueError as exc:
        raise InvalidInputError("is no number", value=text[:80]) from exc
    return number if math.isfinite(number) else math.nan


def _steps(path: str) -> list[str | int]:
    return [int(place) if place else name or quoted or doubly for name, quoted, doubly, place in _STEP.findall(path)]


def _descend(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(step), _MISSING)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return _MISSING


def _decode(payload: str) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as exc:
        raise InvalidInputError("is no JSON", value=payload[:80]) from exc


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
        return None if value is None or value == "" else read_number(value, on, off) * template.factor

    return decode
