"""Dating of sensors whose sign, role or unit changes.

So their earlier readings keep their meaning when a site is configured anew.
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
    """A sensor that counts otherwise from an instant on.

    It holds the roles that named it before and name it after, with a minus where it is taken off.
    ``instead_of``: by which names the same topic was named before, with another unit.
    """

    sensor: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    instead_of: tuple[str, ...] = ()


class _Named(NamedTuple):
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
    changes: list[SensorChange] = []
    settled: dict[str, list[_Named]] = {}
    for name, named in after.items():
        entries_before = before.get(name, [])
        others = [
            other for other in before if other not in after and _is_in_another_unit(other, name)
        ]
        holding = {each.meaning for each in entries_before if each.sensor.holds_at(at)}
        followed = {
            other: spoken
            for other in others
            if (spoken := {each.meaning for each in before[other] if each.sensor.holds_at(at)})
        }
        if not (holding or followed) or any(each.is_dated for each in named):
            continue
        wanted = {each.meaning for each in named}
        settled.update((other, _end_at(before[other], set(), at, site)) for other in others)
        settled[name] = [
            *_end_at(entries_before, wanted, at, site),
            *(_begin_at(each, at, site) for each in named if each.meaning not in holding),
        ]
        if wanted != holding:
            changes.append(
                SensorChange(
                    name,
                    tuple(sorted(holding.union(*followed.values()))),
                    tuple(sorted(wanted)),
                    tuple(followed),
                )
            )
    if not settled:
        return site, []
    # Validated again: the checks of a site apply to the merged document too.
    outside = [
        name
        for name in stored.input_sensors.outside_house_meter
        if name in settled and name not in after
    ]
    dated = site.model_copy(update={"input_sensors": _settle(site, settled, outside)})
    return parse_site(dated.model_dump(mode="json", by_alias=True)), changes


def exchange_sensors(stored: Site, site: Site, *, at: datetime) -> Site:
    """Return the new configuration with exchanged sensors dated at ``at``.

    A removed sensor ends then and a new one in its role begins. So an exchanged meter keeps its
    past. A sensor removed before it began is dropped; existing dates stay.

    Invariants: a site that names all stored sensors is returned unchanged.
    """
    zone = parse_zone(site.timezone)
    before = _by_sensor(stored)
    after = _by_sensor(site)
    gone = {
        name
        for name in before.keys() - after.keys()
        if not any(_is_in_another_unit(name, other) for other in after)
    }
    roles: dict[str, tuple[SensorEntry | str, ...]] = {}
    for role in SENSOR_ROLES:
        entries_before = [each for name in gone for each in before[name] if each.role == role]
        if not entries_before:
            continue
        ended = [each.entry for each in _end_at(entries_before, set(), at, site)]
        replaces = any(each.sensor.holds_at(at) for each in entries_before)
        entries = getattr(site.input_sensors, role)
        named = [
            _Named(role, entry, sensor)
            for entry, sensor in zip(entries, resolve_sensors(entries, zone), strict=True)
        ]
        begun = [
            _begin_at(each, at, site).entry
            if replaces and each.sensor.name not in before and not each.is_dated
            else each.entry
            for each in named
        ]
        roles[role] = (*ended, *begun)
    if not roles:
        return site
    # Removed sensors outside the house's meter stay so for their past.
    outside = (
        *site.input_sensors.outside_house_meter,
        *(name for name in stored.input_sensors.outside_house_meter if name in gone),
    )
    changed = site.model_copy(
        update={
            "input_sensors": site.input_sensors.model_copy(
                update=roles | {"outside_house_meter": outside}
            )
        }
    )
    return parse_site(changed.model_dump(mode="json", by_alias=True))


def _by_sensor(site: Site) -> dict[str, list[_Named]]:
    zone = parse_zone(site.timezone)
    by_name: dict[str, list[_Named]] = defaultdict(list)
    for role in SENSOR_ROLES:
        entries = getattr(site.input_sensors, role)
        for entry, sensor in zip(entries, resolve_sensors(entries, zone), strict=True):
            by_name[sensor.name].append(_Named(role, entry, sensor))
    return by_name


def _end_at(entries: Sequence[_Named], wanted: set[str], at: datetime, site: Site) -> list[_Named]:
    """End the stored entries that are not wanted any more.

    Drop those that would end before they begin.
    """
    standing = []
    for each in entries:
        if each.meaning in wanted or each.sensor.has_ended(at):
            standing.append(each)
        elif each.sensor.start is None or each.sensor.start < at:
            standing.append(each._replace(entry=_date(each, site, until=at)))
    return standing


def _begin_at(named: _Named, at: datetime, site: Site) -> _Named:
    return named._replace(entry=_date(named, site, from_=at))


def _date(named: _Named, site: Site, **times: datetime) -> DatedSensor:
    written = {
        name: instant.astimezone(parse_zone(site.timezone)).isoformat()
        for name, instant in times.items()
    }
    dated = named.entry if isinstance(named.entry, DatedSensor) else DatedSensor(sensor=named.entry)
    return dated.model_copy(update=written)


def _is_in_another_unit(one: str, other: str) -> bool:
    """Return whether two names have the same topic and different units."""
    named, unit = split_unit(one)
    other_named, other_unit = split_unit(other)
    return named == other_named and unit != other_unit


def _settle(site: Site, settled: dict[str, list[_Named]], outside: Sequence[str]) -> InputSensors:
    """Replace a site's entries of the sensors in ``settled``.

    Changed ones come last in their roles.

    Args:
        site: the new configuration.
        settled: entries by sensor.
        outside: removed sensors that stay outside the house's meter.
    """
    roles: dict[str, tuple[SensorEntry | str, ...]] = {
        role: (
            *(
                entry
                for entry in getattr(site.input_sensors, role)
                if name_of(entry) not in settled or _is_kept(entry, role, settled[name_of(entry)])
            ),
            *(
                each.entry
                for named in settled.values()
                for each in named
                if each.role == role and each.entry not in getattr(site.input_sensors, role)
            ),
        )
        for role in SENSOR_ROLES
    }
    return site.input_sensors.model_copy(
        update=roles | {"outside_house_meter": (*site.input_sensors.outside_house_meter, *outside)}
    )


def _is_kept(entry: SensorEntry, role: str, named: Sequence[_Named]) -> bool:
    return any(each.entry == entry and each.role == role for each in named)
