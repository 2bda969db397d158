"""Registry of refusal reasons: codes, parameters and English messages.

``refuse`` builds the error; API and command line show the message. ``REASONS`` lists those of the
modules of this package: one per subject, and one per kind of device. An error carries its reason
and parameters; pages render them in the reader's language from the catalogue
(``luna.words.refusals``).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic_core import PydanticCustomError

from luna.energy.errors import LunaError
from luna.energy.refusals import (
    access,
    addresses,
    appliance,
    data,
    documents,
    drivers,
    fields,
    heat_pump,
    jobs,
    learning,
    machine,
    mistakes,
    notifications,
    planning,
    requests,
    sites,
    times,
    vehicle,
    windows,
)
from luna.energy.refusals.reason import ParameterKind, RefusalReason
from luna.energy.row_fault import RowFault

__all__ = [
    "REASONS",
    "ParameterKind",
    "RefusalReason",
    "invalid_part",
    "part_of",
    "refuse",
    "to_json",
]

_REASONS_BY_SUBJECT = (
    access.REASONS,
    addresses.REASONS,
    appliance.REASONS,
    data.REASONS,
    documents.REASONS,
    drivers.REASONS,
    fields.REASONS,
    heat_pump.REASONS,
    jobs.REASONS,
    learning.REASONS,
    machine.REASONS,
    mistakes.REASONS,
    notifications.REASONS,
    planning.REASONS,
    requests.REASONS,
    sites.REASONS,
    times.REASONS,
    vehicle.REASONS,
    windows.REASONS,
)
REASONS: Mapping[str, RefusalReason] = {
    code: reason for reasons in _REASONS_BY_SUBJECT for code, reason in reasons.items()
}


def refuse(
    reason: str, /, *, field: str | None = None, value: object = None, **parameters: Any
) -> LunaError:
    """Return the error of a reason.

    Args:
        reason: a key of ``REASONS``.
        field: path of the field in the caller's input.
        value: the offending value.
        parameters: of the message and the remedy.
    """
    declared = REASONS[reason]
    error = declared.error(
        _fill(declared.message or "", parameters),
        field=field,
        value=value,
        remedy=declared.remedy and _fill(declared.remedy, parameters),
    )
    return error.because(reason, to_json(parameters))


def invalid_part(reason: str, /, **parameters: Any) -> PydanticCustomError:
    """Return the error of a reason for a validator of a model; pydantic adds the path."""
    declared = REASONS[reason]
    context: dict[str, Any] = {
        "said": _fill(declared.message or "", parameters),
        "reason": reason,
        "parameters": to_json(parameters),
    }
    if declared.remedy is not None:
        context["remedy"] = _fill(declared.remedy, parameters)
    return PydanticCustomError("refused", "{said}", context)


def part_of(error: LunaError) -> PydanticCustomError:
    """Convert a LunaError to one that a validator can raise."""
    context = {
        "said": error.message,
        "remedy": error.remedy or "",
        "reason": error.reason,
        "parameters": dict(error.parameters),
    }
    return PydanticCustomError("refused", "{said}", context)


def to_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Convert parameters to JSON.

    Instants and days become ISO 8601, tuples lists, row faults documents, other objects text.
    """
    return {name: _plain(value) for name, value in parameters.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, RowFault):
        return value.document()
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _fill(template: str, parameters: Mapping[str, Any]) -> str:
    texts = {}
    for name, value in parameters.items():
        texts[name] = ", ".join(map(str, value)) if isinstance(value, tuple) else value
    return template.format(**texts)
