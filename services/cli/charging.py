"""Charging sessions as options name them: ``car=18:00..07:00,target=0.8,soc=0.4``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from luna.contracts.plan import PlanRequest
from luna.contracts.plan.state import VehicleSession, VehicleState
from luna.contracts.session_times import SessionClock
from luna.energy.errors import InvalidInputError
from luna.house.desk.servers import unit_of_work
from luna.platform.clock import SystemClock
from services.cli.options import compose_request

# The settings of a session: name in the option, field, and whether it is a share (0.8 or 80%).
FIELDS: dict[str, tuple[str, bool]] = {
    "target": ("target_soc", True),
    "soc": ("arrival_soc", True),
    "limit": ("limit_soc", True),
    "min": ("min_soc", True),
    "value": ("extra_value", False),
    "power": ("min_power_kw", False),
}
GRAMMAR = (
    'Write it like "car=18:00..07:00,target=0.8,soc=0.4"; after the times you can give '
    f"{', '.join(FIELDS)}."
)
HELP = (
    'A charging session: "car=18:00..07:00,target=0.8,soc=0.4". Times are in the site\'s time '
    "zone or have an offset; shares are 0.8 or 80%. May be repeated."
)


def read_sessions(texts: Sequence[str], clock: SessionClock) -> dict[str, list[VehicleSession]]:
    """Parse options into charging sessions by vehicle, sorted by start.

    Raises:
        InvalidInputError: names the wrong part of an option.
    """
    sessions_by_vehicle: dict[str, list[VehicleSession]] = {}
    for text in texts:
        name, _, rest = text.partition("=")
        window, *settings = rest.split(",")
        first, dots, end = window.partition("..")
        if not name.strip() or not dots or not end.strip():
            raise InvalidInputError(
                "names no car with its session", field="--session", value=text, remedy=GRAMMAR
            )
        begin, until = clock.read(first.strip(), end.strip(), fields=("--session", "--session"))
        values: dict[str, float] = {}
        for part in settings:
            setting, equals, value = (word.strip() for word in part.partition("="))
            if not equals or setting not in FIELDS:
                raise InvalidInputError(
                    "is no property of a charging session",
                    field="--session",
                    value=part.strip(),
                    remedy=GRAMMAR,
                )
            field, share = FIELDS[setting]
            values[field] = read_number(value, field=f"--session {setting}", share=share)
        sessions_by_vehicle.setdefault(name.strip(), []).append(
            compose_session(values, begin, until)
        )
    for sessions in sessions_by_vehicle.values():
        sessions.sort(key=attrgetter("from_"))
    return sessions_by_vehicle


def compose_session(fields: Mapping[str, Any], begin: datetime, until: datetime) -> VehicleSession:
    """Build a charging session; errors name the fields as the option does.

    Raises:
        InvalidInputError: a value is out of bounds, or the target is beyond the limit.
    """
    try:
        return compose_request(VehicleSession, **fields, from_=begin, to=until)
    except InvalidInputError as error:
        wrong = error.field or ""
        error.field = "--session"
        for option, (field, _) in FIELDS.items():
            if field == wrong:
                error.field = f"--session {option}"
        raise


def read_number(text: str, *, field: str, share: bool) -> float:
    """Parse a number; a share may be written as 0.8 or 80%.

    Raises:
        InvalidInputError: the text is no number.
    """
    is_percentage = share and text.endswith("%")
    try:
        return float(text[:-1]) / 100.0 if is_percentage else float(text)
    except ValueError as exc:
        raise InvalidInputError(
            "is no number",
            field=field,
            value=text,
            remedy="Write a share like 0.8 or 80%." if share else "Write it like 3.7.",
        ) from exc


def add_sessions(request: PlanRequest, texts: Sequence[str]) -> PlanRequest:
    """Return the request with the sessions of options.

    They replace its sessions of these vehicles.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: an invalid session, a vehicle that the site does not have, or one whose
            state of charge is unknown.
    """
    site = request.site
    start = request.start or SystemClock().now()
    if site is None:
        from luna.platform.database import sites

        with unit_of_work() as connection:
            site = sites.load(connection, str(request.site_id))
    charging_sessions = read_sessions(texts, SessionClock(ZoneInfo(site.timezone), start))
    names = [vehicle.name for vehicle in site.vehicles]
    strange = next((name for name in charging_sessions if name not in names), None)
    if strange is not None:
        remedy = "Add it to the site's file, under vehicles."
        if names:
            remedy = f"There are: {', '.join(names)}."
        raise InvalidInputError(
            "the site has no car of this name", field="--session", value=strange, remedy=remedy
        )
    charge = {name: state.soc for name, state in request.state.vehicles.items()}
    arrivals = {name: sessions[0].arrival_soc for name, sessions in charging_sessions.items()}
    lacks_charge = any(soc is None and name not in charge for name, soc in arrivals.items())
    if request.site_id is not None and lacks_charge:
        from services.planner.service.state import read_carried

        with unit_of_work() as connection:
            carried, facts = read_carried(connection, site, start, now=SystemClock().now())
        for name, sensed in facts.sensed.items():
            if sensed.charge is not None and sensed.charge.soc is not None:
                charge[name] = sensed.charge.soc
        charge |= {name: vehicle.soc for name, vehicle in carried.vehicles.items()}
    vehicles: dict[str, VehicleState] = {}
    for name, sessions in charging_sessions.items():
        soc = arrivals[name]
        if soc is None:
            soc = charge.get(name)
        if soc is None:
            raise InvalidInputError(
                "the car's battery level at arrival is unknown",
                field="--session",
                value=name,
                remedy="Say it: soc=0.4.",
            )
        vehicles[name] = VehicleState(soc=soc, sessions=sessions)
    every_vehicle = request.state.vehicles | vehicles
    state = request.state.model_copy(update={"vehicles": every_vehicle})
    return request.model_copy(update={"state": state})
