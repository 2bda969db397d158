"""Parsing and changing of site documents.

Errors of pydantic's validation are translated into Luna's.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError

from luna.energy.devices import DEVICE_KINDS
from luna.energy.durations import format_duration, parse_duration
from luna.energy.errors import InvalidInputError
from luna.energy.refusals import REASONS, invalid_part, refuse, to_json
from luna.energy.refusals.fields import find_reason
from luna.energy.sensor_roles import DATED_SENSOR, SENSOR_NAME
from luna.energy.site.model import Site
from luna.energy.site.other_names import find_known_name
from luna.energy.tariffs.components import AnyComponent


def parse_site(document: object, *, field: str = "site") -> Site:
    """Validate a site document (parsed JSON or YAML).

    Raises:
        InvalidInputError: names the first wrong field, its value and the remedy.
    """
    try:
        return Site.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field=field) from exc


def invalid_input(error: ValidationError, *, field: str) -> InvalidInputError:
    """Translate a validation error into Luna's, as ``explain_faults`` does."""
    return explain_faults(error.errors(include_url=False), field=field)


def explain_faults(faults: Sequence[Mapping[str, Any]], *, field: str) -> InvalidInputError:
    """Join pydantic's faults into one error.

    It holds the first field with its value and a remedy, and up to three more by name. A field of
    another name than Luna's comes first: those that seem to be missing follow from it.
    """
    renamed = []
    others = []
    for fault in faults:
        if find_known_name(fault) is not None:
            renamed.append(fault)
        elif not _follows(fault, faults):
            others.append(fault)
    foremost, *further = [*renamed, *others]
    first = _with_known_name(foremost)
    paths = [_path(field, fault) for fault in further[:3]]
    more = f"; also wrong: {', '.join(paths)}" if paths else ""
    wrong_value = (first.get("ctx") or {}).get("value", first["input"])
    value = wrong_value if isinstance(wrong_value, str | int | float | bool) else None
    message = first["msg"].removeprefix("Value error, ")
    reason = find_reason(first)
    error = InvalidInputError(
        f"{message}{more}",
        field=_path(field, first) or None,
        value=value,
        remedy=_remedy(first, reason),
    )
    return error.because(reason, None if reason is None else to_json(_figures(first)))


def _follows(fault: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a list is too short only because its members are wrong."""
    if fault["type"] != "too_short":
        return False
    place = fault["loc"]
    for member_fault in faults:
        member_place = member_fault["loc"]
        if len(member_place) > len(place) and member_place[: len(place)] == place:
            return True
    return False


def _with_known_name(fault: Mapping[str, Any]) -> Mapping[str, Any]:
    names = find_known_name(fault)
    if names is None:
        return fault
    given, instead = names
    refused = invalid_part("known-by-other-name", given=given, instead=instead)
    return {**fault, "msg": refused.message(), "ctx": refused.context}


def _remedy(fault: Mapping[str, Any], reason: str | None) -> str:
    context: Mapping[str, Any] = fault.get("ctx") or {}
    if "remedy" in context:
        return str(context["remedy"])
    declared = REASONS[reason].remedy if reason is not None else None
    remedy = (declared or "Correct it.").format(**context)
    if fault["type"] == "model_type" and context.get("class_name") == "Site":
        return f"{remedy} config/site.yaml shows those of a site."
    return f"{remedy}{_unit(fault)}" if fault["type"] in _BOUNDS else remedy


def _figures(fault: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a fault's reason.

    They are those of a validator, or pydantic's with the unit of the field.
    """
    context: Mapping[str, Any] = fault.get("ctx") or {}
    if "reason" in context:
        return dict(context.get("parameters") or {})
    figures = {name: value for name, value in context.items() if name != "error"}
    if fault["type"] in _BOUNDS:
        figures["unit"] = _by_ending(_name(fault), _UNIT_NAMES)
        for bound in figures.keys() & {"le", "lt", "ge", "gt"}:
            # Pydantic writes the bounds of durations in English.
            duration = parse_duration(str(figures[bound]))
            if duration is not None:
                figures[bound] = format_duration(duration)
    return figures


def _name(fault: Mapping[str, Any]) -> str:
    return next((part for part in reversed(fault["loc"]) if isinstance(part, str)), "")


def _unit(fault: Mapping[str, Any]) -> str:
    if (fault.get("ctx") or {}).get("le") == 1:
        return " Efficiencies and SoC are fractions between 0 and 1."
    return _by_ending(_name(fault), _UNITS)


def _by_ending(name: str, texts: Mapping[str, str]) -> str:
    """Return the text of the first ending that a field's name has, else ""."""
    for ending, text in texts.items():
        if name.endswith(ending):
            return text
    return ""


def _path(root: str, fault: Any) -> str:
    # Pydantic's path contains tags of unions (kind of a price, number of peak components), which
    # the caller's document does not. A check of the whole site puts the path of the wrong field
    # into the context.
    context = fault.get("ctx") or {}
    place = [str(part) for part in (*fault["loc"], *context.get("place", ()))]
    parts = []
    for at, part in enumerate(place):
        tags = (*_tags_after(place[:at]), SENSOR_NAME, DATED_SENSOR)
        if part not in tags and not part.startswith(_UNTAGGED):
            parts.append(part)
    return ".".join([root, *parts] if root else parts)


def _tags_after(place: Sequence[str]) -> tuple[str, ...]:
    """Return the tags that may follow: after a list's place those of its members."""
    if not place:
        return ()
    *before, last = place
    if last.isdigit() and before:
        return _KINDS_OF_MEMBERS.get(before[-1], ())
    return _KINDS.get(last, ())


_PRICES = ("fixed", "time_of_use", "spot", "series", "blocks", "components")
_KINDS = {"import": _PRICES, "export": _PRICES, "peak": ("one", "several")}
_COMPONENTS = get_args(get_args(AnyComponent)[0])
_COMPONENT_KINDS = tuple(
    get_args(component.model_fields["kind"].annotation)[0] for component in _COMPONENTS
)
_KINDS_OF_MEMBERS = {"components": _COMPONENT_KINDS}
# How pydantic names the choices of a union without tags, such as the days of a window.
_UNTAGGED = ("literal[", "tuple[")


_BOUNDS = ("less_than_equal", "less_than", "greater_than_equal", "greater_than")
# Suffix of a field's name → unit, for pages.
_UNIT_NAMES = {"_kw": "kW", "_kwh": "kWh", "_percent": "%", "_deg": "°", "_c": "°C", "_a": "A"}
_UNITS = {
    "_kw": " Power is in kW.",
    "_kwh": " Energy is in kWh.",
    "price": " Prices are per kWh.",
    "price_per_kw_month": " It is a price per kW and month.",
}
# Lists whose members have names; a change addresses them by name.
_NAMED = frozenset(kind.section for kind in DEVICE_KINDS if kind.named)
# Fields that a change may not touch: the identity of a site, and fields that no plan depends on.
_FIXED = (
    "name",
    "display_name",
    "timezone",
    "currency",
    "country",
    "region",
    "location",
    "input_sensors",
    "forecasting",
    "control",
)


def change_site(site: Site, changes: Mapping[str, Any], *, field: str = "site") -> Site:
    """Return the site with changed fields, without ``control``.

    Named list members: a document changes or adds one, null removes it, a list replaces all.

    Raises:
        InvalidInputError: an unknown or fixed field, a member to be removed that is not there, a
            value out of bounds.
    """
    document = json.loads(site.model_dump_json(by_alias=True)) | {"control": None}
    for name, change in changes.items():
        if name in _FIXED:
            raise refuse(
                "site-field-fixed",
                field=f"{field}.{name}",
                names=tuple(name for name in Site.model_fields if name not in _FIXED),
            )
        if name in _NAMED and isinstance(change, Mapping):
            document[name] = _change_members(document[name], change, field=f"{field}.{name}")
        else:
            document[name] = _merge(document.get(name), change)
    return parse_site(document, field=field)


def _change_members(
    members: list[dict[str, Any]], change: Mapping[str, Any], *, field: str
) -> list[dict[str, Any]]:
    by_name = {member["name"]: member for member in members}
    for name, fields in change.items():
        if fields is None and name not in by_name:
            raise refuse(
                "unknown-name",
                field=f"{field}.{name}",
                names=", ".join(by_name) or "–",
                thing="member",
            )
        if fields is None:
            del by_name[name]
        else:
            by_name[name] = _merge(by_name.get(name, {"name": name}), fields)
    return list(by_name.values())


def _merge(before: Any, change: Any) -> Any:
    """Merge a change into a document.

    A price rule of another kind replaces the old one as a whole.
    """
    if not isinstance(before, Mapping) or not isinstance(change, Mapping):
        return change
    is_rule = "kind" in before and "name" not in before
    if is_rule and change.get("kind", before["kind"]) != before["kind"]:
        return change
    merged = dict(before)
    for name, value in change.items():
        merged[name] = _merge(before.get(name), value)
    return merged
