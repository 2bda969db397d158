"""A site from a document, and what is wrong with one in words."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from luna.errors import InvalidInputError
from luna.site.model import Site
from luna.site.sensors import DATED_SENSOR, SENSOR_NAME


def parse_site(document: object, *, field: str = "site") -> Site:
    """Return the site that ``document`` (parsed JSON or YAML) describes.

    Raises:
        InvalidInputError: names the first wrong field, its value and the remedy.
    """
    try:
        return Site.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field=field) from exc


def load_site(path: Path) -> Site:
    """Return the site a YAML file describes.

    Raises:
        InvalidInputError: the file is missing, no YAML, or describes no valid site.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise InvalidInputError(f"cannot be read: {exc.strerror}", field=str(path), remedy="Name a readable file.") from exc
    except UnicodeDecodeError as exc:
        raise InvalidInputError("is no UTF-8 text", field=str(path), remedy="Save it as UTF-8.") from exc
    except yaml.YAMLError as exc:
        raise InvalidInputError(f"is no YAML: {exc}", field=str(path), remedy="Correct it at that line; config/site.yaml is an example.") from exc
    return parse_site(document, field=str(path))


def invalid_input(error: ValidationError, *, field: str) -> InvalidInputError:
    """Translate a validation error into Luna's: every wrong field named, the first one with its value."""
    return explain_faults(error.errors(include_url=False), field=field)


def explain_faults(faults: Sequence[Mapping[str, Any]], *, field: str) -> InvalidInputError:
    """Return faults as pydantic lists them in one error: every wrong field named, the first one with its value and a remedy."""
    first = faults[0]
    others = [_path(field, fault) for fault in faults[1:4]]
    more = f"; also wrong: {', '.join(others)}" if others else ""
    found = (first.get("ctx") or {}).get("value", first["input"])
    value = found if isinstance(found, str | int | float | bool) else None
    message = first["msg"].removeprefix("Value error, ")
    return InvalidInputError(f"{message}{more}", field=_path(field, first) or None, value=value, remedy=_remedy(first))


def _remedy(fault: Mapping[str, Any]) -> str:
    context: Mapping[str, Any] = fault.get("ctx") or {}
    if "remedy" in context:
        return str(context["remedy"])
    if fault["type"] == "string_pattern_mismatch":
        return _FORMS.get(context["pattern"], "Write it in this form.")
    if fault["type"] == "model_type" and context.get("class_name") == "Site":
        return f"{_REMEDIES['model_type']} config/site.yaml shows those of a site."
    said = _REMEDIES.get(fault["type"], "Correct it.").format(**context)
    return f"{said}{_unit(fault)}" if fault["type"] in _BOUNDS else said


def _unit(fault: Mapping[str, Any]) -> str:
    name = next((part for part in reversed(fault["loc"]) if isinstance(part, str)), "")
    if (fault.get("ctx") or {}).get("le") == 1:
        return " Efficiencies and SoC are fractions between 0 and 1."
    return next((said for ending, said in _UNITS.items() if name.endswith(ending)), "")


def _path(root: str, fault: Any) -> str:
    # Pydantic puts the kind of a tariff, and how many components it has, into the path; the caller never wrote it there.
    # A rule of the whole site says itself which of its fields breaks it.
    place = [str(part) for part in (*fault["loc"], *(fault.get("ctx") or {}).get("place", ()))]
    parts = [part for before, part in zip(["", *place], place, strict=False) if part not in (*_KINDS.get(before, ()), SENSOR_NAME, DATED_SENSOR)]
    return ".".join([root, *parts] if root else parts)


_PRICES = ("fixed", "time_of_use", "spot", "series", "blocks")
_KINDS = {"import": _PRICES, "export": _PRICES, "peak": ("one", "several")}


_INSTANT = "Write an instant with its offset, such as 2024-02-01T00:00:00+01:00, or with Z for UTC; beside a site also a local day or a time of its clock."


_NUMBER = "Give a number, with a point before the decimals."


_DAY = "Write a day such as 2024-02-01."


_BOUNDS = ("less_than_equal", "less_than", "greater_than_equal", "greater_than")
_UNITS = {"_kw": " Power is in kW.", "_kwh": " Energy is in kWh.", "price": " Prices are per kWh.", "price_per_kw_month": " It is a price per kW and month."}
# What patterns want, in words.
_FORMS = {
    r"^[\w-]+$": "Use letters, digits, _ and - only.",
    r"^[\w.:/-]+$": "Use letters, digits and _ . : / - only.",
    r"^[a-z0-9_.]{1,64}$": "Use small letters, digits, _ and . only, as in aurora_v1.0.",
    r"^[a-z0-9_.]{1,96}$": "Use small letters, digits, _ and . only.",
    r"^[^\x00]+$": "Leave out the NUL.",
    r"^[^\x00:;]+$": "Leave out colons and semicolons.",
    r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$": "Begin with a letter or digit and use a-z, digits, blanks, _ . and - only; display_name takes it as people write it.",
    r"^[^\W_][\w .-]*$": "Begin with a letter or digit and use letters, digits, blanks, _ . and - only.",
    r"^[A-Z]{3}$": "Give the ISO 4217 code of the currency, such as EUR.",
    r"^[A-Z]{2}$": "Give the ISO 3166 code of the country, such as DE.",
    r"^[A-Z0-9]{1,3}$": "Give the ISO 3166-2 code without the country's, such as BY.",
    r"^([01]\d|2[0-3]):[0-5]\d$": 'Write a time of the clock such as "07:00".',
    r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$": 'Write a time of the clock such as "07:00", or "24:00".',
    r"^\d{4}-\d{2}$": "Write a month such as 2024-02.",
    r"^[a-z0-9_]+\.[a-z0-9_]+$": "Write domain and service, as in number.set_value.",
    r"^[a-z0-9_]+$": "Use small letters, digits and _ only.",
}


_REMEDIES = {
    "extra_forbidden": "Remove it or correct its name; config/site.yaml lists a site's fields, the gateway's /docs those of requests.",
    "missing": "Add it.",
    "less_than_equal": "Give at most {le}.",
    "less_than": "Give less than {lt}.",
    "greater_than_equal": "Give at least {ge}.",
    "greater_than": "Give more than {gt}.",
    "string_type": 'Put it in quotes, as in "22:00"; without, it is read as a number.',
    "string_too_short": "Give at least {min_length} characters.",
    "string_too_long": "Shorten it to at most {max_length} characters.",
    "display_name": "Write it as it is to be shown, without control characters.",
    "time_zone": 'Use an IANA name such as "Europe/Berlin".',
    "timezone_aware": _INSTANT,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "finite_number": "Give a finite number.",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_parsing_size": "Give a smaller number.",
    "int_from_float": "Give a whole number.",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "time_delta_parsing": "Write a duration such as PT15M.",
    "bool_type": "Write true or false.",
    "bool_parsing": "Write true or false.",
    "literal_error": "Choose one of these.",
    "list_type": "Give a list: [ … ].",
    "too_short": "Give at least as many values.",
    "too_long": "Give fewer values.",
    "dict_type": "Give named values: {{ … }}.",
    "model_type": "Give named fields: {{ … }}.",
    "model_attributes_type": "Give named fields: {{ … }}.",
    "union_tag_invalid": "Choose one of these kinds.",
    "union_tag_not_found": "Add its kind.",
    "json_invalid": "Correct the JSON at this place.",
}


# Lists whose members have names; in a change they stand by name.
_NAMED = ("batteries", "pv", "vehicles", "loads")
# What makes a site this one and not another, and what no plan depends on.
_FIXED = ("name", "display_name", "timezone", "currency", "country", "region", "location", "input_sensors", "forecasting", "control")


def change_site(site: Site, changes: Mapping[str, Any], *, field: str = "site") -> Site:
    """Return the site with its fields changed. Members of lists are named: a document changes or adds one, null takes it away, a list replaces all.

    Raises:
        InvalidInputError: a field that a site does not have or that cannot change, a member to be taken away that is not there, a value out of bounds.
    """
    document = json.loads(site.model_dump_json(by_alias=True)) | {"control": None}
    for name, change in changes.items():
        if name in _FIXED:
            raise InvalidInputError("cannot be changed", field=f"{field}.{name}", remedy=f"Change one of: {', '.join(_changeable())}.")
        by_name = name in _NAMED and isinstance(change, Mapping)
        document[name] = _change_members(document[name], change, field=f"{field}.{name}") if by_name else _merge(document.get(name), change)
    return parse_site(document, field=field)


def _changeable() -> list[str]:
    return [name for name in Site.model_fields if name not in _FIXED]


def _change_members(members: list[dict[str, Any]], change: Mapping[str, Any], *, field: str) -> list[dict[str, Any]]:
    there = {member["name"]: member for member in members}
    for name, fields in change.items():
        if fields is None and name not in there:
            raise InvalidInputError("there is none of this name", field=f"{field}.{name}", remedy=f"There are: {', '.join(there) or 'none'}.")
        if fields is None:
            del there[name]
        else:
            there[name] = _merge(there.get(name, {"name": name}), fields)
    return list(there.values())


def _merge(before: Any, change: Any) -> Any:
    """Return the document with what the change names; another kind of price rule takes the place of the one before as a whole."""
    if not isinstance(before, Mapping) or not isinstance(change, Mapping):
        return change
    if "kind" in before and change.get("kind", before["kind"]) != before["kind"] and "name" not in before:
        return change
    return {**before, **{name: _merge(before.get(name), value) for name, value in change.items()}}
