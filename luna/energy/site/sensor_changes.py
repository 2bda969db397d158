"""Dates sensors whose sign, role or unit changes.

So earlier readings keep their meaning.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from luna.energy.sensor_roles import DatedSensor, SensorEntry, split_unit
from luna.energy.site.document import parse_site
from luna.energy.site.model import Site
from luna.energy.site.sensors import (
    SENSOR_ROLES,
    InputSensors,
    SiteSensor,
    name_of,
    resolve_sensors,
)
from luna.energy.timeline import parse_zone

# Whether a sensor changes now, or was configured wrongly from the beginning.
ChangedSensors = Literal["from-now", "always"]


class SensorChange(NamedTuple):
    """A sensor whose sign, role or unit changes.

    Attributes:
        before: its roles until now, with a minus where it is subtracted.
        after: its roles from now on, written alike.
        instead_of: the earlier names of the same topic, with another unit.
    """

    sensor: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    instead_of: tuple[str, ...] = ()


class _Named(NamedTuple):
    """An entry of a role, with the sensor that it names."""

    role: str
    entry: SensorEntry
    sensor: SiteSensor

    @property
    def meaning(self) -> str:
        return f"{'-' if self.sensor.sign < 0 else ''}{self.role}"

    @property
    def is_dated(self) -> bool:
        return self.sensor.start is not None or self.sensor.end is not None


def date_changes(stored: Site, site: Site, *, at: datetime) -> tuple[Site, list[SensorChange]]:
    """Return the new configuration with dated changes, and their list.

    Changed signs and roles are valid from ``at`` on, the stored ones before. A topic with another
    unit is another sensor, which follows the old one as after an exchange of meters. A sensor with
    dates in the new configuration is taken unchanged. One without dates whose meaning does not
    change keeps its stored dates.

    Invariants: a second call with the result as ``stored`` and the same configuration changes
    nothing.
    """
    before = _by_sensor(stored)
    after = _by_sensor(site)
    removed = [name for name in before if name not in after]
    changes: list[SensorChange] = []
    settled: dict[str, list[_Named]] = {}
    for name, named in after.items():
        entries_before = before.get(name, [])
        same_topic = [old_name for old_name in removed if _is_in_another_unit(old_name, name)]
        meanings_before = _meanings_at(entries_before, at)
        followed: dict[str, set[str]] = {}
        for old_name in same_topic:
            meanings = _meanings_at(before[old_name], at)
            if meanings:
                followed[old_name] = meanings
        is_new = not meanings_before and not followed
        if is_new or any(mention.is_dated for mention in named):
            continue
        for old_name in same_topic:
            settled[old_name] = _end_at(before[old_name], set(), at, site)
        meanings_after = {mention.meaning for mention in named}
        ended = _end_at(entries_before, meanings_after, at, site)
        new_mentions = [mention for mention in named if mention.meaning not in meanings_before]
        begun = [_begin_at(mention, at, site) for mention in new_mentions]
        settled[name] = [*ended, *begun]
        if meanings_after == meanings_before:
            continue
        all_before = meanings_before.union(*followed.values())
        change = SensorChange(
            sensor=name,
            before=tuple(sorted(all_before)),
            after=tuple(sorted(meanings_after)),
            instead_of=tuple(followed),
        )
        changes.append(change)
    if not settled:
        return site, []
    replaced = settled.keys() - after.keys()
    outside = [name for name in stored.input_sensors.outside_house_meter if name in replaced]
    dated = site.model_copy(update={"input_sensors": _settle(site, settled, outside)})
    # The checks of a site apply to the merged document too.
    return parse_site(dated.model_dump(mode="json", by_alias=True)), changes


def exchange_sensors(stored: Site, site: Site, *, at: datetime) -> Site:
    """Return the new configuration with exchanged sensors dated at ``at``.

    A removed sensor ends then and a new one in its role begins. So an exchanged meter keeps its
    past. A sensor removed before it began is dropped; existing dates stay.

    Invariants: a site that names all stored sensors is returned unchanged.
    """
    before = _by_sensor(stored)
    after = _by_sensor(site)
    removed = set()
    for name in before.keys() - after.keys():
        has_new_unit = any(_is_in_another_unit(name, new_name) for new_name in after)
        if not has_new_unit:
            removed.add(name)
    roles: dict[str, tuple[SensorEntry | str, ...]] = {}
    for role in SENSOR_ROLES:
        removed_of_role: list[_Named] = []
        for name in removed:
            removed_of_role += [mention for mention in before[name] if mention.role == role]
        if not removed_of_role:
            continue
        ended = [mention.entry for mention in _end_at(removed_of_role, set(), at, site)]
        replaces = any(mention.sensor.holds_at(at) for mention in removed_of_role)
        begun: list[SensorEntry] = []
        for mention in _list_role(site, role):
            is_new = mention.sensor.name not in before and not mention.is_dated
            if replaces and is_new:
                begun.append(_begin_at(mention, at, site).entry)
            else:
                begun.append(mention.entry)
        roles[role] = (*ended, *begun)
    if not roles:
        return site
    # Removed sensors outside the house's meter stay so for their past.
    removed_outside = [name for name in stored.input_sensors.outside_house_meter if name in removed]
    outside = (*site.input_sensors.outside_house_meter, *removed_outside)
    sensors = site.input_sensors.model_copy(update=roles | {"outside_house_meter": outside})
    changed = site.model_copy(update={"input_sensors": sensors})
    return parse_site(changed.model_dump(mode="json", by_alias=True))


def _list_role(site: Site, role: str) -> list[_Named]:
    entries = getattr(site.input_sensors, role)
    sensors = resolve_sensors(entries, parse_zone(site.timezone))
    return [_Named(role, entry, sensor) for entry, sensor in zip(entries, sensors, strict=True)]


def _by_sensor(site: Site) -> dict[str, list[_Named]]:
    by_name: dict[str, list[_Named]] = defaultdict(list)
    for role in SENSOR_ROLES:
        for mention in _list_role(site, role):
            by_name[mention.sensor.name].append(mention)
    return by_name


def _meanings_at(entries: Sequence[_Named], at: datetime) -> set[str]:
    return {mention.meaning for mention in entries if mention.sensor.holds_at(at)}


def _end_at(
    entries: Sequence[_Named], still_valid: set[str], at: datetime, site: Site
) -> list[_Named]:
    """End the stored entries whose meaning is not in ``still_valid``.

    Entries that would end before they begin are dropped.
    """
    stored = []
    for mention in entries:
        sensor = mention.sensor
        if mention.meaning in still_valid or sensor.has_ended(at):
            stored.append(mention)
        elif sensor.start is None or sensor.start < at:
            stored.append(mention._replace(entry=_date(mention, site, until=at)))
    return stored


def _begin_at(named: _Named, at: datetime, site: Site) -> _Named:
    return named._replace(entry=_date(named, site, from_=at))


def _date(named: _Named, site: Site, **times: datetime) -> DatedSensor:
    zone = parse_zone(site.timezone)
    written = {name: instant.astimezone(zone).isoformat() for name, instant in times.items()}
    entry = named.entry
    dated = entry if isinstance(entry, DatedSensor) else DatedSensor(sensor=entry)
    return dated.model_copy(update=written)


def _is_in_another_unit(old_name: str, new_name: str) -> bool:
    """Return whether two names have the same topic and different units."""
    old_topic, old_unit = split_unit(old_name)
    new_topic, new_unit = split_unit(new_name)
    return old_topic == new_topic and old_unit != new_unit


def _settle(site: Site, settled: dict[str, list[_Named]], outside: Sequence[str]) -> InputSensors:
    """Replace a site's entries of the sensors in ``settled``.

    Changed ones come last in their roles.

    Args:
        site: the new configuration.
        settled: entries by sensor.
        outside: removed sensors that stay outside the house's meter.
    """
    changes: dict[str, tuple[SensorEntry | str, ...]] = {}
    for role in SENSOR_ROLES:
        entries = getattr(site.input_sensors, role)
        unchanged = [entry for entry in entries if _is_unchanged(entry, role, settled)]
        added: list[SensorEntry] = []
        for named in settled.values():
            of_role = [mention.entry for mention in named if mention.role == role]
            added += [entry for entry in of_role if entry not in entries]
        changes[role] = (*unchanged, *added)
    changes["outside_house_meter"] = (*site.input_sensors.outside_house_meter, *outside)
    return site.input_sensors.model_copy(update=changes)


def _is_unchanged(entry: SensorEntry, role: str, settled: dict[str, list[_Named]]) -> bool:
    named = settled.get(name_of(entry))
    if named is None:
        return True
    return any(mention.entry == entry and mention.role == role for mention in named)
