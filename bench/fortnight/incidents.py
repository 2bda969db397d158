"""Incidents of the fortnight and their times; a shorter run has those that fall into it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

IncidentKind = Literal["luna_stopped", "network_away", "meter_frozen", "battery_deaf"]


IncidentPeriod = IncidentKind | Literal["undisturbed"]
# The aftermath counts as part of an incident: slots are built, plans made, commands sent again.
AFTERMATH = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident: kind, start after the fortnight's first midnight, and duration."""

    kind: IncidentKind
    after: timedelta
    lasts: timedelta

    def holds(self, passed: timedelta) -> bool:
        """Return whether the incident is active ``passed`` after the first midnight."""
        return self.after <= passed < self.after + self.lasts


def _at(day: int, hour: float) -> timedelta:
    return timedelta(days=day - 1, hours=hour)


# Chosen to hurt: an evening that needs the battery, half a day's prices, hours of both buying and
# selling, an afternoon's peak.
INCIDENTS = (
    Incident("battery_deaf", _at(3, 18.2), timedelta(hours=1)),
    Incident("luna_stopped", _at(5, 15.5), timedelta(hours=6)),
    Incident("network_away", _at(8, 9), timedelta(days=1)),
    Incident("meter_frozen", _at(11, 10), timedelta(hours=5)),
)
# For runs of some hours.
SHORT_INCIDENTS = (
    Incident("battery_deaf", timedelta(hours=1), timedelta(hours=1)),
    Incident("luna_stopped", timedelta(hours=3), timedelta(hours=1)),
)


def find_incident(
    incidents: tuple[Incident, ...], kind: IncidentKind, passed: timedelta
) -> Incident | None:
    """Return the active incident of a kind, None without one."""
    return next((each for each in incidents if each.kind == kind and each.holds(passed)), None)


def list_periods(incidents: tuple[Incident, ...], passed: timedelta) -> list[IncidentPeriod]:
    """Return the kinds of incidents that are active or in their aftermath, else "undisturbed"."""
    return [
        each.kind
        for each in incidents
        if each.after <= passed < each.after + each.lasts + AFTERMATH
    ] or ["undisturbed"]


def name_span(
    incidents: tuple[Incident, ...], period: IncidentPeriod, start: datetime
) -> dict[str, str]:
    """Return begin and end of a run's incident of a kind, empty for "undisturbed"."""
    spans = (
        (start + each.after, start + each.after + each.lasts)
        for each in incidents
        if each.kind == period
    )
    return next(
        (
            {"from": f"{begin:%a %d %b %H:%M}", "to": f"{end:%a %d %b %H:%M}"}
            for begin, end in spans
        ),
        {},
    )
