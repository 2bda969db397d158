"""Sensors whose sign or role changes with a site's new configuration: dated, so that what they said before keeps its meaning. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from luna.site.document import parse_site
from luna.site.model import Site
from luna.site.sensors import SENSOR_ROLES, DatedSensor, InputSensors, SensorEntry, SiteSensor, name_of, resolve_sensors
from luna.timeline import parse_zone

# Whether a changed sensor was turned now, or was named wrongly from the beginning.
ChangedSensors = Literal["from-now", "always"]


class SensorChange(NamedTuple):
    """A sensor that counts otherwise from an instant on: the roles that named it before and name it after, with a minus where it is taken off."""

    sensor: str
    before: tuple[str, ...]
    after: tuple[str, ...]


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
    """Return a site's new configuration with the sensors whose sign or role it changes counting so from ``at`` on, and before as it is stored; and which.

    A sensor to which the new configuration gives times itself is taken as it says. One that is named without any, and means what it does, keeps those that
    are stored.

    Invariants: a second call with the result as ``stored`` and the same configuration changes nothing.
    """
    before, after = _by_sensor(stored), _by_sensor(site)
    changes: list[SensorChange] = []
    settled: dict[str, list[_Named]] = {}
    for name, named in after.items():
        known = before.get(name, [])
        holding = {each.meaning for each in known if each.sensor.holds_at(at)}
        if not holding or any(each.is_dated for each in named):
            continue
        wanted = {each.meaning for each in named}
        settled[name] = [*_end_at(known, wanted, at, site), *(_begin_at(each, at, site) for each in named if each.meaning not in holding)]
        if wanted != holding:
            changes.append(SensorChange(name, tuple(sorted(holding)), tuple(sorted(wanted))))
    if not settled:
        return site, []
    # The rules of a site hold of what came of it as of what an owner writes.
    dated = site.model_copy(update={"input_sensors": _settle(site, settled)})
    return parse_site(dated.model_dump(mode="json", by_alias=True)), changes


def _by_sensor(site: Site) -> dict[str, list[_Named]]:
    zone = parse_zone(site.timezone)
    found: dict[str, list[_Named]] = defaultdict(list)
    for role in SENSOR_ROLES:
        entries = getattr(site.input_sensors, role)
        for entry, sensor in zip(entries, resolve_sensors(entries, zone), strict=True):
            found[sensor.name].append(_Named(role, entry, sensor))
    return found


def _end_at(known: Sequence[_Named], wanted: set[str], at: datetime, site: Site) -> list[_Named]:
    """Return the stored entries, those that are wanted no more ended; one that would end before it begins is none."""
    kept = []
    for each in known:
        if each.meaning in wanted or each.sensor.has_ended(at):
            kept.append(each)
        elif each.sensor.start is None or each.sensor.start < at:
            kept.append(each._replace(entry=_date(each, site, until=at)))
    return kept


def _begin_at(named: _Named, at: datetime, site: Site) -> _Named:
    return named._replace(entry=_date(named, site, from_=at))


def _date(named: _Named, site: Site, **times: datetime) -> DatedSensor:
    written = {name: instant.astimezone(parse_zone(site.timezone)).isoformat() for name, instant in times.items()}
    dated = named.entry if isinstance(named.entry, DatedSensor) else DatedSensor(sensor=named.entry)
    return dated.model_copy(update=written)


def _settle(site: Site, settled: dict[str, list[_Named]]) -> InputSensors:
    """Return the sensors of a site with the entries of those that are settled in the place of its own; those stand last in their roles."""
    roles = {
        role: (
            *(entry for entry in getattr(site.input_sensors, role) if name_of(entry) not in settled or _is_kept(entry, role, settled[name_of(entry)])),
            *(each.entry for named in settled.values() for each in named if each.role == role and each.entry not in getattr(site.input_sensors, role)),
        )
        for role in SENSOR_ROLES
    }
    return site.input_sensors.model_copy(update=roles)


def _is_kept(entry: SensorEntry, role: str, named: Sequence[_Named]) -> bool:
    return any(each.entry == entry and each.role == role for each in named)
