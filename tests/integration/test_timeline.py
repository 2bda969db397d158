"""GET /v1/sites/{site_id}/timeline: past and coming slots on one axis."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, ControlState, Decision
from luna.energy.timeline import SLOT, Timeline, local_instant, parse_zone
from luna.house import control_service
from luna.platform.clock import FixedClock
from luna.platform.database import control, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.api.timeline.document import Timelines
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.pages.demo_home import HOME, DemoHome, store_demo_home

PATH = "/v1/sites/timed/timeline"


@pytest.fixture(scope="module")
def home(database: Engine) -> Iterator[DemoHome]:
    yield store_demo_home(database, name="timed", vehicles=[], loads=[])
    remove_site(database, "timed")


@pytest.fixture(scope="module")
def api(home: DemoHome, database_url: str, redis_url: str) -> Iterator[httpx.Client]:
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url), FixedClock(home.now)
    ) as client:
        yield client


@pytest.fixture(scope="module")
def timeline(api: httpx.Client) -> dict[str, Any]:
    return api.get(PATH).json()


def known(column: list[float | None]) -> list[bool]:
    return [value is not None for value in column]


def test_it_is_as_its_description_says_and_every_column_has_a_value_per_slot(
    timeline: dict[str, Any],
) -> None:
    told = Timelines.model_validate(timeline)
    assert (told.slots, told.past_slots) == (288, 96)
    columns = [
        timeline["prices"]["import"],
        timeline["reserve_soc"],
        *timeline["bands"].values(),
        *timeline["decisions"].values(),
    ]
    columns += [
        *timeline["measured"].values(),
        *timeline["planned"].values(),
        *(each["power_kw"] for each in timeline["devices"]),
    ]
    assert {len(column) for column in columns} == {288}


def test_what_was_measured_ends_where_what_is_planned_begins(
    timeline: dict[str, Any], home: DemoHome
) -> None:
    assert not any(known(timeline["measured"]["load_kw"])[96:])
    assert known(timeline["planned"]["load_kw"]) == [False] * 96 + [True] * 192
    # The plan's first slot, as energies of a quarter-hour: four times as many kilowatts.
    assert timeline["planned"]["export_kw"][96] == pytest.approx(
        home.plan.slots[0].export_kwh * 4, abs=1e-4
    )
    assert timeline["planned"]["soc"][97] == pytest.approx(
        home.plan.slots[1].batteries["battery"].soc_end, abs=1e-4
    )


def test_a_slot_that_trades_says_how_full_its_battery_is_to_be_then(
    timeline: dict[str, Any], home: DemoHome
) -> None:
    said = [slot.batteries["battery"].target_soc for slot in home.plan.slots[:192]]
    assert timeline["planned"]["target_soc"][:96] == [None] * 96
    assert known(timeline["planned"]["target_soc"])[96:] == [target is not None for target in said]
    assert [
        target for target in timeline["planned"]["target_soc"] if target is not None
    ] == pytest.approx([each for each in said if each is not None], abs=1e-4)
    assert any(known(timeline["planned"]["target_soc"]))


def test_slots_that_were_lost_are_null(timeline: dict[str, Any]) -> None:
    # From 01:30 to 02:15 of that night nothing was recorded: slots 36 to 38 after 16:30.
    assert known(timeline["measured"]["load_kw"])[34:41] == [
        True,
        True,
        False,
        False,
        False,
        True,
        True,
    ]


def test_prices_are_known_until_the_day_after_and_predicted_from_then_on(
    timeline: dict[str, Any],
) -> None:
    # From 16:30 of Tuesday to the end of Thursday: 7½ hours and two days.
    assert timeline["prices"]["known_slots"] == 30 + 192
    assert all(known(timeline["prices"]["import"]))


def test_every_past_slot_says_which_plan_drove_it_and_who_decided(timeline: dict[str, Any]) -> None:
    plans = timeline["decisions"]["plan_id"]
    # The plan of the day before until midnight, then that of midnight, then the latest.
    assert len(dict.fromkeys(plans)) == 3
    assert plans[29] != plans[30]
    assert plans[95] != plans[96]
    assert timeline["ghosts"]["midnight"]["plan_id"] == plans[30]
    assert set(timeline["decisions"]["decided_by"]) == {"planner"}


def test_without_luna_nothing_is_bought_to_be_sold(timeline: dict[str, Any]) -> None:
    ghost = timeline["ghosts"]["without_luna"]
    soc = np.array(ghost["soc"][1:], dtype=float)
    assert ((soc >= 0.1 - 1e-6) & (soc <= 1 + 1e-6)).all()
    assert ghost["next_day"]["cost"] < ghost["next_day"]["cost_without_luna"]


# Two kWh of each day are 10 cents cheaper, all others 5 cents dearer.
PUMP_TARIFF = {
    "name": "heat tariff",
    "devices": "heat_pumps",
    "kwh_per_day": 2,
    "price": -0.1,
    "price_beyond": 0.05,
}
PUMP = {
    "name": "pump",
    "power_kw": 2,
    "heat_demand_kw": 1,
    "store": {"capacity_kwh_per_k": 5, "min_c": 20, "max_c": 22},
}


@pytest.fixture
def heated(database: Engine) -> Iterator[DemoHome]:
    """A home whose heat pump has a price of its own, and has drawn one kWh since midnight."""
    home = store_demo_home(
        database,
        name="heated",
        vehicles=[],
        loads=[],
        heat_pumps=[PUMP],
        input_sensors={"heat_pump_consumption": "sensor.pump"},
        tariff=HOME["tariff"] | {"devices": [PUMP_TARIFF]},
    )
    zone = parse_zone(home.site.timezone)
    today = home.now.astimezone(zone).date()
    hour = Timeline(local_instant(today, "05:00", zone), SLOT, 4)
    with unit_of_work(database) as connection:
        observations.write(connection, "heated", hour.starts, {"heat_pump_kwh": np.full(4, 0.25)})
    yield home
    remove_site(database, "heated")


def test_a_heat_pump_pays_its_own_price_with_luna_and_without(
    heated: DemoHome, api: httpx.Client, database: Engine
) -> None:
    path = "/v1/sites/heated/timeline"
    billed = api.get(path).json()["ghosts"]["without_luna"]["next_day"]
    tariff = heated.site.tariff.model_copy(update={"devices": ()})
    with unit_of_work(database) as connection:
        sites.save(connection, heated.site.model_copy(update={"tariff": tariff}))
    # The same plan by the house's price alone.
    house = api.get(path).json()["ghosts"]["without_luna"]["next_day"]
    zone = parse_zone(heated.site.timezone)
    drawn_kwh = {heated.now.astimezone(zone).date(): 1.0}
    cost = 0.0
    for slot in heated.plan.slots[:96]:
        day = slot.start.astimezone(zone).date()
        before_kwh = drawn_kwh.get(day, 0.0)
        drawn_kwh[day] = before_kwh + slot.heat_pumps["pump"].energy_kwh
        within_kwh = min(drawn_kwh[day], 2.0) - min(before_kwh, 2.0)
        cost += within_kwh * -0.1
        cost += (slot.heat_pumps["pump"].energy_kwh - within_kwh) * 0.05
    # Some of both days lies beyond the allowance.
    assert min(drawn_kwh.values()) > 2.0
    assert billed["cost"] - house["cost"] == pytest.approx(cost, abs=1e-4)
    # Without Luna it heats at the same hours.
    gap = billed["cost_without_luna"] - house["cost_without_luna"]
    assert gap == pytest.approx(cost, abs=1e-4)


def test_sentences_come_in_the_language_asked_for(
    api: httpx.Client, timeline: dict[str, Any]
) -> None:
    german = api.get(PATH, params={"language": "de"}).json()
    assert german["decisions"]["code"] == timeline["decisions"]["code"]
    assert all(
        one != other
        for one, other in zip(
            german["decisions"]["text"], timeline["decisions"]["text"], strict=True
        )
    )


@pytest.mark.parametrize(
    ("day", "slots"), [("2026-03-29", 92), ("2026-05-20", 96), ("2026-10-25", 100)]
)
def test_a_local_day_has_as_many_slots_as_its_clock_shows(
    api: httpx.Client, day: str, slots: int
) -> None:
    following = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    found = api.get(PATH, params={"from": day, "to": following}).json()
    assert found["slots"] == slots


@pytest.mark.parametrize(
    ("window", "field"),
    [
        ({"from": "2026-05-21", "to": "2026-05-20"}, "to"),
        ({"from": "2026-01-01", "to": "2026-05-20"}, "to"),
        ({"from": "soon"}, "from"),
    ],
)
def test_windows_without_sense_are_refused_by_name(
    api: httpx.Client, window: dict[str, str], field: str
) -> None:
    answer = api.get(PATH, params=window)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_an_override_is_told_and_decides_the_slots_until_it_ends(
    api: httpx.Client, home: DemoHome, database: Engine
) -> None:
    until = home.now + timedelta(minutes=50)
    with unit_of_work(database) as connection:
        control_service.override(
            connection,
            "timed",
            "batteries",
            {"mode": "hold", "until": until.isoformat()},
            now=home.now,
        )
    found = api.get(PATH).json()
    with unit_of_work(database) as connection:
        control_service.resume(connection, "timed", "batteries")
    assert [each["mode"] for each in found["overrides"]] == ["hold"]
    # From 16:30 to 17:30: four slots.
    assert found["decisions"]["decided_by"][95:101] == ["planner", *["owner"] * 4, "planner"]


def test_a_past_slot_that_its_owner_decided_says_what_was_told_then(
    api: httpx.Client, home: DemoHome, database: Engine
) -> None:
    begin = home.now.replace(minute=0) - timedelta(hours=3)
    told = {"battery": BatterySetpoint(mode="hold")}
    with unit_of_work(database) as connection:
        for slot in range(2):
            start = begin + slot * timedelta(minutes=15)
            decision = Decision(
                slot_start=start,
                source="owner",
                decided_by="owner",
                reason="override",
                requested=told,
                allowed=told,
            )
            control.record(connection, ControlState(site="timed"), decision, {})
    found = api.get(PATH).json()
    owned = [slot for slot, by in enumerate(found["decisions"]["decided_by"]) if by == "owner"]
    assert [found["decisions"]["mode"][slot] for slot in owned] == ["hold", "hold"]
    # The two of them end together.
    end = (begin + timedelta(minutes=30)).isoformat()
    assert {
        figures["time"] for slot in owned for figures in [found["decisions"]["figures"][slot]]
    } == {end}


def test_it_is_small_enough_for_a_phone(api: httpx.Client) -> None:
    answer = api.get(PATH, headers={"Accept-Encoding": "gzip"})
    assert int(answer.headers["Content-Length"]) < 60_000


def test_a_site_that_knows_nothing_yet_has_empty_columns(
    api: httpx.Client, database: Engine
) -> None:
    from tests.support.database.site import stored_site

    with stored_site(database, name="empty"):
        found = Timelines.model_validate(api.get("/v1/sites/empty/timeline").json())
    assert found.plan is None
    assert set(found.planned.load_kw) == {None}
    assert found.ages_s.plan is None


def test_a_site_that_is_not_there_is_not_found(api: httpx.Client) -> None:
    assert api.get("/v1/sites/nowhere/timeline").status_code == 404
