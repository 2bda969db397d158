"""Incidents of the fortnight and their times; a shorter run has those that fall into it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

# Of a directly controlled product. restarts: it is away for minutes and forgets its command;
# forgets: it forgets at once; second_master: another program commands it; silent, slow, garbage:
# how it answers; car_asleep: the car draws nothing of what it is offered.
ProductIncident = Literal[
    "product_restarts",
    "product_forgets",
    "second_master",
    "product_silent",
    "product_slow",
    "product_garbage",
    "car_asleep",
]
PRODUCT_INCIDENTS: tuple[ProductIncident, ...] = get_args(ProductIncident)
IncidentKind = (
    Literal["luna_stopped", "network_away", "meter_frozen", "battery_deaf"] | ProductIncident
)


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

# Hours of a first day, while the car charges and in the evening's peak, and minutes.
_PRODUCT_DAY: dict[ProductIncident, tuple[float, int]] = {
    "product_garbage": (1.6, 15),
    "car_asleep": (2.6, 45),
    "product_forgets": (4.1, 5),
    "product_restarts": (18.6, 5),
    "product_slow": (19.6, 20),
    "second_master": (20.7, 5),
    "product_silent": (21.8, 15),
}
# Later by so much each day, so that a fortnight meets other hours.
_LATER_EACH_DAY = timedelta(minutes=23)
# Begins with a look, and leaves ten minutes after each of them.
_SHORT_EVERY = timedelta(minutes=15)


def list_product_incidents(lived: timedelta) -> tuple[Incident, ...]:
    """Return a product's incidents: each once a day; in less than a day in a row."""
    if lived < timedelta(days=1):
        return tuple(
            Incident(kind, place * _SHORT_EVERY + timedelta(minutes=16), timedelta(minutes=5))
            for place, kind in enumerate(PRODUCT_INCIDENTS)
        )
    return tuple(
        Incident(
            kind,
            timedelta(days=day, hours=hour) + day * _LATER_EACH_DAY,
            timedelta(minutes=minutes),
        )
        for day in range(lived // timedelta(days=1))
        for kind, (hour, minutes) in _PRODUCT_DAY.items()
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
