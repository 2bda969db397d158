"""A site with some of its fields changed, as a question what would be puts it."""

import json
from collections.abc import Mapping
from typing import Any

from luna.errors import InvalidInputError
from luna.site.document import parse_site
from luna.site.model import Site

# Lists whose members have names; in a change they stand by name.
_NAMED = ("batteries", "pv", "vehicles", "loads")
# What makes a site this one and not another, and what no plan depends on.
_FIXED = ("name", "timezone", "currency", "country", "region", "location", "input_sensors", "forecasting", "control")


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
