"""Take the word of owners on the level and the departures of their cars."""

from typing import Annotated

from pydantic import Field

from luna.contracts.charging_sessions import WEEKDAYS, StoredSession
from luna.contracts.departures import (
    AnsweredDeparture,
    DepartureChanges,
    DepartureId,
    ProposedDeparture,
)
from luna.contracts.message import Message
from luna.contracts.vehicle_levels import NewVehicleLevel, VehicleLevel
from luna.house.capabilities.sessions import SESSION_TABLE
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, capability
from luna.platform.database import departures, vehicle_levels
from luna.words import Numbers, say_instant

_NOUN = "vehicle sessions"
_PATH = "/v1/sites/{site_id}/departures"
_HEADINGS = ("departure", "vehicle", "days", "leaves", "usually", "enough", "seen", "leaves with")


class ProposedDepartureList(Message):
    """Weekly departures that are proposed, by vehicle and weekday."""

    departures: Annotated[
        list[ProposedDeparture], Field(description="none counts before it is accepted")
    ]


def _show(proposed: ProposedDeparture, numbers: Numbers) -> list[str]:
    return [
        proposed.departure_id,
        proposed.vehicle,
        numbers.weekdays([WEEKDAYS.index(day) for day in proposed.days]),
        proposed.leaves,
        numbers.energy(proposed.usual_kwh),
        numbers.energy(proposed.enough_kwh),
        f"{proposed.departures} of {proposed.of_days} days",
        numbers.share(proposed.target_soc),
    ]


@capability(
    "GET",
    _PATH,
    noun=_NOUN,
    scope="read",
    command="car departures",
    shown=ReplyTable(
        _HEADINGS,
        _show,
        "departures",
        none="No car of {site_id} leaves regularly, as far as known.",
    ),
)
def list_departures(call: CapabilityCall, site_id: SiteName) -> ProposedDepartureList:
    """List the weekly departures that Luna suggests.

    Return when cars usually leave and the energy they need, learnt from twelve weeks. Plans use a
    departure once it is accepted.
    """
    proposals = departures.read_proposals(call.connection, site_id, now=call.now)
    return ProposedDepartureList(departures=proposals)


@capability(
    "POST",
    f"{_PATH}/{{departure_id}}/accept",
    noun=_NOUN,
    scope="operate",
    command="car accept",
    shown=SESSION_TABLE,
    status=201,
    signable=True,
)
def accept_departure(
    call: CapabilityCall, site_id: SiteName, departure_id: DepartureId, changes: DepartureChanges
) -> StoredSession:
    """Accept a weekly departure.

    Plan the car for it every week, with your changes. It replaces the car's weekly sessions on
    these days.
    """
    return departures.accept(
        call.connection, site_id, departure_id, changes, by=call.by, now=call.now
    )


@capability(
    "POST",
    f"{_PATH}/{{departure_id}}/decline",
    noun=_NOUN,
    scope="operate",
    command="car decline",
    shown="Departure {departure_id} is not proposed again until it changes.",
    signable=True,
)
def decline_departure(
    call: CapabilityCall, site_id: SiteName, departure_id: DepartureId
) -> AnsweredDeparture:
    """Decline a weekly departure.

    It is not proposed again until its days, its time or its energy change.
    """
    return departures.decline(call.connection, site_id, departure_id, by=call.by, now=call.now)


class VehicleLevelList(Message):
    """States of charge that owners stated and that still hold."""

    levels: Annotated[list[VehicleLevel], Field(description="one of a vehicle at most")]


def _show_level(level: VehicleLevel, numbers: Numbers) -> list[str]:
    return [
        level.vehicle,
        numbers.share(level.soc),
        say_instant(level.stated_at, numbers.zone),
        level.stated_by,
        numbers.energy(level.charged_kwh),
        numbers.share(level.estimated_soc),
    ]


_LEVEL_HEADINGS = ("vehicle", "stated", "at", "by", "charged since", "estimated now")


@capability(
    "GET",
    "/v1/sites/{site_id}/vehicle-levels",
    noun=_NOUN,
    scope="read",
    command="car levels",
    shown=ReplyTable(
        _LEVEL_HEADINGS, _show_level, "levels", none="Nobody said how full a car of {site_id} is."
    ),
)
def list_vehicle_levels(call: CapabilityCall, site_id: SiteName) -> VehicleLevelList:
    """List the battery levels that owners entered for cars.

    Return the levels that still apply, with what the charger counted since.
    """
    levels = vehicle_levels.read_estimates(call.connection, site_id, now=call.now)
    return VehicleLevelList(levels=levels)


@capability(
    "POST",
    "/v1/sites/{site_id}/vehicle-levels",
    noun=_NOUN,
    scope="operate",
    command="car level",
    shown=ReplyTable(_LEVEL_HEADINGS, _show_level),
    signable=True,
)
def set_vehicle_level(
    call: CapabilityCall, site_id: SiteName, level: NewVehicleLevel
) -> VehicleLevel:
    """Set the battery level of a car now.

    For a car without a sensor: its level, or what it still needs. Luna adds what the charger
    counts until the car leaves.
    """
    return vehicle_levels.store(call.connection, site_id, level, by=call.by, now=call.now)


CAPABILITIES = (
    list_vehicle_levels,
    set_vehicle_level,
    list_departures,
    accept_departure,
    decline_departure,
)
