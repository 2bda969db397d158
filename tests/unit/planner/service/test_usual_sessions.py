"""A car of which nobody said more than what it drives is planned for its usual day, until somebody
says when it comes and leaves.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from luna.contracts.plan import PlanRequest
from luna.contracts.plan.state import VehicleSession
from luna.energy.site import Site, parse_site
from luna.platform.database.site_facts import DemandFacts
from services.planner.devices.vehicle.begin import StartingVehicle, find_vehicles
from tests.support.planning.requests import answer, make_request

CAR = {
    "name": "car",
    "capacity_kwh": 50,
    "charge_limit_kw": 11,
    "charge_efficiency": 0.9,
    "km_per_year": 14_610,
    "kwh_per_100_km": 20,
}
SITE = parse_site({"name": "home", "timezone": "Europe/Berlin", "vehicles": [CAR]})
BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 3, 28, 20, tzinfo=BERLIN)  # the clock goes forward in the night
# 14,610 km a year are 40 a day: 8 kWh from the grid, of which 7.2 are stored.
NEED_KWH = 7.2


def find(
    site: Site = SITE,
    *,
    start: datetime = EVENING,
    sessions: list[VehicleSession] | None = None,
    begun: PlanRequest | None = None,
) -> StartingVehicle | None:
    in_force = None if begun is None else (answer(begun), begun)
    return find_vehicles(
        site,
        DemandFacts({"car": sessions} if sessions else {}, {}, in_force),
        start=start.astimezone(UTC),
    ).get("car")


def plan_from(known: StartingVehicle) -> PlanRequest:
    """A night's request with cheap hours from midnight on."""
    prices = [0.4] * 4 + [0.2] * 8
    site = {"timezone": "Europe/Berlin", "vehicles": [CAR]}
    return make_request(
        site,
        {"import_price": prices},
        start=EVENING.astimezone(UTC),
        state={"vehicles": {"car": known.state.model_dump(by_alias=True)}},
    )


def test_it_comes_home_each_evening_with_what_a_day_took_and_leaves_full() -> None:
    known = find()
    assert known is not None
    assert (known.usual_kwh, known.charge.source, known.charge.soc) == (
        pytest.approx(NEED_KWH / 0.9),
        "assumed",
        pytest.approx(1 - NEED_KWH / 50),
    )
    local = [
        (each.from_.astimezone(BERLIN), each.to.astimezone(BERLIN)) for each in known.state.sessions
    ]
    assert [(f"{begin:%d. %H:%M}", f"{end:%d. %H:%M}") for begin, end in local][:2] == [
        ("28. 18:00", "29. 07:00"),
        ("29. 18:00", "30. 07:00"),
    ]
    charged = sum(slot.vehicles["car"].charge_kwh for slot in answer(plan_from(known)).slots)
    assert charged * 0.9 == pytest.approx(NEED_KWH, rel=0.01)


def test_the_next_plan_goes_on_from_what_the_last_one_charged() -> None:
    known = find()
    assert known is not None
    later = find(start=EVENING + timedelta(hours=10), begun=plan_from(known))
    assert later is not None
    assert (later.usual_kwh, later.charge.source, later.charge.soc) == (
        pytest.approx(NEED_KWH / 0.9),
        "expected",
        pytest.approx(1.0, abs=0.002),
    )
    # There are stays ahead as there were before.
    assert later.state.sessions[-1].to > EVENING + timedelta(hours=10, days=3)


def test_what_was_said_takes_the_place_of_all_that_is_usual() -> None:
    known = find()
    assert known is not None
    begin = EVENING.astimezone(UTC)
    said = VehicleSession.model_validate(
        {
            "from": begin,
            "to": begin + timedelta(hours=5),
            "target_soc": 0.6,
            "arrival_soc": 0.3,
            "session_id": 7,
        }
    )
    for begun in (None, plan_from(known)):
        told = find(sessions=[said], begun=begun)
        assert told is not None
        assert (told.state.sessions, told.usual_kwh, told.charge.soc, told.charge.source) == (
            [said],
            0.0,
            0.3,
            "said",
        )
    silent = SITE.model_copy(
        update={"vehicles": [SITE.vehicles[0].model_copy(update={"km_per_year": None})]}
    )
    assert find(silent) is None
