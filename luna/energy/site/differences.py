"""Differences between two configurations of a site, field by field, devices by name."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class SiteDifference(NamedTuple):
    """A field with different values.

    Its path is as errors name it; a missing value is None.
    """

    field: str
    before: Any
    after: Any


def list_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[SiteDifference]:
    """Return the differences between two stored configurations, in the order of a site's file."""
    return list(_compare("", before, after))


def _compare(path: str, before: Any, after: Any) -> Iterator[SiteDifference]:
    if before == after:
        return
    one = _by_name(before)
    other = _by_name(after)
    if one is None or other is None or one.get("kind") != other.get("kind"):
        yield SiteDifference(path, before, after)
        return
    for name in [*other, *(name for name in one if name not in other)]:
        yield from _compare(f"{path}.{name}" if path else name, one.get(name), other.get(name))


def _by_name(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return value
    # Lists of devices are compared by name; an empty list, of unknown kind, counts as one.
    if isinstance(value, list) and all(_has_name(member) for member in value):
        return {member["name"]: member for member in value}
    return None


def _has_name(member: Any) -> bool:
    return isinstance(member, Mapping) and "name" in member
