"""Why something is refused: a code with parameters, one declaration each, of which the English message of API and command line is made.

The modules are found in this package: one per subject, and one per kind of device for what is refused of that kind alone.
An error carries its reason and the parameters; a page words it in its reader's language, of the catalogue (``luna.words.refusals``).
"""

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from pydantic_core import PydanticCustomError

from luna.energy.errors import LunaError
from luna.energy.refusals.reason import ParameterKind, RefusalReason
from luna.energy.row_fault import RowFault

__all__ = ["REASONS", "ParameterKind", "RefusalReason", "invalid_part", "part_of", "refuse", "to_json"]

_MODULES = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
REASONS: Mapping[str, RefusalReason] = {reason: declared for module in _MODULES for reason, declared in getattr(module, "REASONS", {}).items()}


def refuse(reason: str, /, *, field: str | None = None, value: object = None, **parameters: Any) -> LunaError:
    """Return the error of a reason.

    Args:
        reason: a key of ``REASONS``.
        field: where, in the caller's own words.
        value: the offending one.
        parameters: what its sentences name.
    """
    declared = REASONS[reason]
    error = declared.error(_fill(declared.message or "", parameters), field=field, value=value, remedy=declared.remedy and _fill(declared.remedy, parameters))
    return error.because(reason, to_json(parameters))


def invalid_part(reason: str, /, **parameters: Any) -> PydanticCustomError:
    """Return the error of a reason for a validator of a model; the model says where."""
    declared = REASONS[reason]
    context: dict[str, Any] = {"said": _fill(declared.message or "", parameters), "reason": reason, "parameters": to_json(parameters)}
    if declared.remedy is not None:
        context["remedy"] = _fill(declared.remedy, parameters)
    return PydanticCustomError("refused", "{said}", context)


def part_of(error: LunaError) -> PydanticCustomError:
    """Return what a validator raises where the work of one of its fields raised ``error``."""
    context = {"said": error.message, "remedy": error.remedy or "", "reason": error.reason, "parameters": dict(error.parameters)}
    return PydanticCustomError("refused", "{said}", context)


def to_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures as JSON knows them: instants and days in ISO 8601, lists of names, numbers, texts."""
    return {name: _plain(value) for name, value in parameters.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, RowFault):
        return value.document()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _fill(template: str, parameters: Mapping[str, Any]) -> str:
    return template.format(**{name: ", ".join(map(str, value)) if isinstance(value, tuple) else value for name, value in parameters.items()})
