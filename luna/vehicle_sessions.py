"""What a stay of a vehicle may be: checked where it is stored, and fitted to the vehicle where that has changed since."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.plan import VehicleSession
from luna.contracts.vehicle_session import NewSession, StoredSession
from luna.errors import InvalidInputError
from luna.site import ElectricVehicle, Site
from luna.wording import say_instant

LONGEST = timedelta(days=62)


def check_session(session: NewSession, site: Site, standing: Sequence[StoredSession], *, now: datetime) -> None:
    """Refuse a stay that the site's vehicle cannot follow.

    Args:
        session: to be stored.
        site: whose vehicle stays.
        standing: the stays of the same vehicle that are stored and not over.
        now: the stay ends after this.

    Raises:
        InvalidInputError: no such vehicle, a stay that is over or lasts too long, that overlaps another, that wants what the vehicle cannot do, or of which
            nobody knows how full the vehicle comes.
    """
    vehicle = find_vehicle(site, session.vehicle)
    _check_time(session, ZoneInfo(site.timezone), now=now)
    _check_power(session, vehicle)
    if session.arrival_soc is None and not any(other.from_ < session.from_ for other in standing):
        remedy = "Say how full it is when it comes, or now where it is there: 0.4."
        raise InvalidInputError("how full the vehicle comes is not known", field="arrival_soc", remedy=remedy)
    overlapping = next((other for other in standing if other.from_ < session.to and session.from_ < other.to), None)
    if overlapping is not None:
        span = " to ".join(say_instant(instant, ZoneInfo(site.timezone)) for instant in (overlapping.from_, overlapping.to))
        remedy = f"Remove it first, or begin after it: session {overlapping.session_id}."
        raise InvalidInputError(f"{session.vehicle} stays from {span} already", field="from", value=session.from_.isoformat(), remedy=remedy)


def find_vehicle(site: Site, name: str) -> ElectricVehicle:
    """Return the vehicle of a name.

    Raises:
        InvalidInputError: the site has none of that name.
    """
    found = next((vehicle for vehicle in site.vehicles if vehicle.name == name), None)
    if found is None:
        names = ", ".join(vehicle.name for vehicle in site.vehicles)
        remedy = f"There are: {names}." if names else "Describe one in the site's file, under vehicles."
        raise InvalidInputError("the site has no such vehicle", field="vehicle", value=name, remedy=remedy)
    return found


def fit_session(session: VehicleSession, vehicle: ElectricVehicle) -> VehicleSession:
    """Return a stored stay with no more wanted than its vehicle can do now; a stay of today must not end planning because the site has changed."""
    socs = {name: getattr(session, name) for name in ("target_soc", "min_soc")}
    power_kw = session.min_power_kw
    fitted = {name: None if soc is None else min(soc, vehicle.max_soc) for name, soc in socs.items()}
    return session.model_copy(update=fitted | {"min_power_kw": None if power_kw is None else min(power_kw, vehicle.most_charge_kw)})


def _check_time(session: NewSession, zone: ZoneInfo, *, now: datetime) -> None:
    value = session.to.astimezone(zone).isoformat()
    if session.to <= now:
        raise InvalidInputError("the stay is over already", field="to", value=value, remedy="Name a time that is still to come.")
    if session.to - session.from_ > LONGEST:
        raise InvalidInputError("the stay is too long", field="to", value=value, remedy=f"Stays last {LONGEST.days} days at most.")


def _check_power(session: NewSession, vehicle: ElectricVehicle) -> None:
    for name in ("target_soc", "min_soc"):
        wanted = getattr(session, name)
        if wanted is not None and wanted > vehicle.max_soc:
            raise InvalidInputError("the vehicle is never charged this far", field=name, value=wanted, remedy=f"At most {vehicle.max_soc:g}, its max_soc.")
    if session.min_power_kw is not None and session.min_power_kw > vehicle.most_charge_kw:
        remedy = f"At most {vehicle.most_charge_kw:g} kW, its charger counted."
        raise InvalidInputError("the vehicle never charges with so much", field="min_power_kw", value=session.min_power_kw, remedy=remedy)
