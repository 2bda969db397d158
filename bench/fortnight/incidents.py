"""What goes wrong in the fortnight, and when; a shorter run has those that fall into it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

IncidentKind = Literal["luna_stopped", "network_away", "meter_frozen", "battery_deaf"]


IncidentPeriod = IncidentKind | Literal["undisturbed"]
# What an incident leaves behind counts as its own: slots that are built, plans that are made, a device that is told anew.
AFTERMATH = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Incident:
    """What is wrong, from when on after the fortnight's first midnight, and for how long."""

    kind: IncidentKind
    after: timedelta
    lasts: timedelta

    def holds(self, passed: timedelta) -> bool:
        """Return whether it is so when so much time has passed."""
        return self.after <= passed < self.after + self.lasts


def _at(day: int, hour: float) -> timedelta:
    return timedelta(days=day - 1, hours=hour)


# An evening with a battery that matters; half of a day's prices; hours in which the house buys and sells; an afternoon's peak.
INCIDENTS = (
    Incident("battery_deaf", _at(3, 18.2), timedelta(hours=1)),
    Incident("luna_stopped", _at(5, 15.5), timedelta(hours=6)),
    Incident("network_away", _at(8, 9), timedelta(days=1)),
    Incident("meter_frozen", _at(11, 10), timedelta(hours=5)),
)
# The same in little: a run of hours has its incidents as well.
SHORT_INCIDENTS = (
    Incident("battery_deaf", timedelta(hours=1), timedelta(hours=1)),
    Incident("luna_stopped", timedelta(hours=3), timedelta(hours=1)),
)


def find_incident(incidents: tuple[Incident, ...], kind: IncidentKind, passed: timedelta) -> Incident | None:
    """Return the incident of a kind that holds, None where there is none."""
    return next((each for each in incidents if each.kind == kind and each.holds(passed)), None)


def list_periods(incidents: tuple[Incident, ...], passed: timedelta) -> list[IncidentPeriod]:
    """Return which incidents hold, or held a little before; "undisturbed" where none."""
    return [each.kind for each in incidents if each.after <= passed < each.after + each.lasts + AFTERMATH] or ["undisturbed"]


def name_span(incidents: tuple[Incident, ...], period: IncidentPeriod, start: datetime) -> dict[str, str]:
    """Return from when to when a run's incident of a kind holds; nothing of what is undisturbed."""
    spans = ((start + each.after, start + each.after + each.lasts) for each in incidents if each.kind == period)
    return next(({"from": f"{begin:%a %d %b %H:%M}", "to": f"{end:%a %d %b %H:%M}"} for begin, end in spans), {})
