"""What shall go wrong in a replay, as a command says it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import TypeAdapter, ValidationError

from luna.contracts.fault import Fault, FaultKind
from luna.errors import InvalidInputError
from luna.site import invalid_input

KINDS: tuple[str, ...] = get_args(FaultKind)
_FAULTS = TypeAdapter(list[Fault])
REMEDY = f"Name a file with a list of faults, or one as kind=hours, such as sensor_frozen=6; kinds: {', '.join(KINDS)}."


def read_faults(asked: Sequence[str]) -> list[Fault]:
    """Return the faults of ``kind``, ``kind=hours`` and files (YAML or JSON: a list with the fields of ``Fault``), in order.

    Raises:
        InvalidInputError: names what is no fault.
    """
    return [fault for text in asked for fault in _read(text)]


def _read(text: str) -> list[Fault]:
    kind, _, hours = text.partition("=")
    found = [{"kind": kind} | ({"hours": hours} if hours else {})] if kind in KINDS else _load(text)
    try:
        return _FAULTS.validate_python(found)
    except ValidationError as exc:
        raise invalid_input(exc, field="faults") from exc


def _load(name: str) -> Any:
    try:
        return yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except OSError as exc:
        raise InvalidInputError(f"is no kind of fault and no file: {exc.strerror}", field="faults", value=name, remedy=REMEDY) from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"cannot be read as YAML: {exc}", field="faults", value=name, remedy=REMEDY) from exc
