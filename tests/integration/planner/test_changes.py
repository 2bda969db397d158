"""What changes of a site has it planned anew: noted by whoever changes it, taken back by the plan
that knows it, and by no other.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from luna.contracts.charging_sessions import NewSession
from luna.contracts.control import Override
from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.owner import ManualBlock
from luna.contracts.plan import PlanRequest
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import (
    charging_sessions,
    control,
    forecasts,
    manual_blocks,
    plan_causes,
    plan_faults,
    plans,
    prices,
    readings,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.schema.plans import plan_history
from luna.platform.settings import Settings
from services.planner.linear.model import LinearModel
from services.planner.milp.solver import LinearSolution, Solver
from services.planner.service.fleet import RENEW_AGE, follow_changes, follow_sessions, plan_sites
from services.planner.service.plans import plan_and_store
from tests.support.database.databases import remove_site
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

NAME = "changing home"
OTHER = "quiet home"
START = datetime(2024, 2, 1, 12, 15, tzinfo=UTC)
MARKET = "CH4NGE"
DOCUMENT = {
    "name": NAME,
    "timezone": "Europe/Berlin",
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    ],
    "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
    "tariff": {
        "import": {"kind": "spot", "market": MARKET},
        "export": {"kind": "fixed", "price": 0.07},
    },
}


def issue(connection: Connection, name: str, at: datetime = START, load_kwh: float = 0.1) -> None:
    load = Quantiles.exact(np.full(192, load_kwh))
    sun = Quantiles.exact(np.zeros(192))
    forecasts.upsert(
        connection, name, [Forecast(Timeline(at, SLOT, 192), at, DEFAULT_VERSION, load, sun)]
    )


@pytest.fixture
def home(database: Engine) -> Iterator[str]:
    """A stored site of which nothing has changed since it was planned, and another one with a
    tariff of its own.
    """
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(DOCUMENT))
        sites.save(connection, parse_site({"name": OTHER, "timezone": "Europe/Berlin"}))
        for name in (NAME, OTHER):
            issue(connection, name)
        prices.upsert(
            connection,
            MARKET,
            starts=Timeline(START, SLOT, 192).starts,
            price=np.full(192, 0.3),
            currency="EUR",
            published_at=START - timedelta(days=1),
        )
        plan_sites(connection, PlanSitesRequest(site_ids=[NAME, OTHER]), now=START)
        assert plan_causes.read(connection, [NAME, OTHER]) == {}
    yield NAME
    with unit_of_work(database) as connection:
        connection.execute(plan_history.delete().where(plan_history.c.site.in_([NAME, OTHER])))
    for name in (NAME, OTHER):
        remove_site(database, name)


def change_site(connection: Connection) -> None:
    sites.save(connection, parse_site(DOCUMENT | {"timezone": "Europe/Vienna"}))


def publish(connection: Connection) -> None:
    later = Timeline(START, SLOT, 4).starts
    prices.upsert(
        connection, MARKET, starts=later, price=np.full(4, 0.5), currency="EUR", published_at=START
    )


def publish_again(connection: Connection) -> None:
    known = Timeline(START, SLOT, 192).starts
    prices.upsert(
        connection,
        MARKET,
        starts=known,
        price=np.full(192, 0.3),
        currency="EUR",
        published_at=START - timedelta(days=1),
    )


def charging_session(connection: Connection) -> None:
    wanted = NewSession(
        vehicle="car",
        **{"from": START, "to": START + timedelta(hours=6)},
        arrival_soc=0.4,
        target_soc=0.6,
    )
    charging_sessions.add(connection, NAME, wanted, by="anna", now=START)


def block(connection: Connection) -> None:
    wanted = ManualBlock(
        device="battery", action="hold", **{"from": START, "to": START + timedelta(hours=1)}
    )
    manual_blocks.add(connection, NAME, wanted, by="anna", now=START)


def override(connection: Connection) -> None:
    control.override(
        connection, NAME, Override(mode="hold", until=START + timedelta(hours=1), by="anna")
    )


@each_row(
    ("change", "kinds"),
    [
        (change_site, {"site"}),
        (lambda connection: issue(connection, NAME, START + SLOT), {"forecast"}),
        (publish, {"prices"}),
        (charging_session, {"session"}),
        (block, {"block"}),
        (override, {"override"}),
        (publish_again, set()),
        (lambda connection: sites.save(connection, parse_site(DOCUMENT)), set()),
        (lambda connection: issue(connection, OTHER, START + SLOT), set()),
    ],
)
def test_each_change_of_a_site_is_noted_and_nothing_else(
    connection: Connection, home: str, change: Callable[[Connection], None], kinds: set[str]
) -> None:
    with connection.begin_nested() as undone:
        change(connection)
        assert {kind for _, kind in plan_causes.read(connection, [home])} == kinds
        assert plan_causes.is_any_due(connection, [home], now=START) is bool(kinds)
        assert plan_causes.take_due(connection, [home], now=START) == ([home] if kinds else [])
        assert not plan_causes.is_any_due(connection, [home], now=START)
        undone.rollback()


def test_a_change_is_asked_for_at_once_and_again_where_no_plan_came_of_it(
    database: Engine, home: str
) -> None:
    asked: list[list[str]] = []
    settings = Settings(plan_refresh="all")

    def look(now: datetime) -> list[str]:
        asked.clear()
        follow_changes(
            database, settings, ask=lambda wanted: asked.append(wanted.site_ids), now=now
        )
        return [name for part in asked for name in part if name in {NAME, OTHER}]

    assert look(START) == []
    with unit_of_work(database) as connection:
        charging_session(connection)
    assert [look(START), look(START + timedelta(seconds=5))] == [[home], []]
    # The worker died over it; and a clock that goes back keeps nothing waiting.
    assert [look(START + timedelta(seconds=61)), look(START - timedelta(hours=1))] == [
        [home],
        [home],
    ]
    with unit_of_work(database) as connection:
        block(connection)
    assert look(START - timedelta(hours=1)) == [home]
    with unit_of_work(database) as connection:
        plan_sites(connection, PlanSitesRequest(site_ids=[home]), now=START)
    assert look(START + timedelta(hours=1)) == []
    settings = Settings(plan_refresh="armed")
    with unit_of_work(database) as connection:
        issue(connection, home, START + SLOT)
    assert look(START) == []


def test_a_car_that_says_something_else_than_the_plan_has_it_planned_anew(
    database: Engine, home: str
) -> None:
    settings = Settings(plan_refresh="all")
    later = START + timedelta(minutes=20)
    sensors = {"vehicle_soc": "sensor.car", "vehicle_connected": "binary_sensor.car"}

    def say(minutes: float, soc: float, connected: float) -> None:
        with unit_of_work(database) as connection:
            keys = readings.register(
                connection, home, {"sensor.car": "%", "binary_sensor.car": None}
            )
            at = np.array(
                [(START + timedelta(minutes=minutes)).replace(tzinfo=None)] * 2, dtype="M8[us]"
            )
            readings.upsert(
                connection,
                np.array([keys["sensor.car"], keys["binary_sensor.car"]], dtype=np.int32),
                at,
                np.array([soc, connected], dtype=float),
            )

    def look() -> set[str]:
        follow_sessions(database, settings, now=later)
        with unit_of_work(database) as connection:
            found = {kind for _, kind in plan_causes.read(connection, [home])}
            plan_causes.forget(connection, plan_causes.read(connection, [home]))
        return found

    say(-60, 40, 1)
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(DOCUMENT | {"input_sensors": sensors}))
        wanted = NewSession(
            vehicle="car", **{"from": START, "to": START + timedelta(hours=6)}, target_soc=0.4
        )
        charging_sessions.add(connection, NAME, wanted, by="anna", now=START)
        # After the one of the fixture, which knows of no session.
        plan_sites(connection, PlanSitesRequest(site_ids=[home]), now=START + timedelta(seconds=1))
    assert look() == set()
    say(2, 41, 1)
    assert look() == set()
    say(4, 33, 1)
    assert look() == {"session"}
    say(6, 40, 1)
    assert look() == set()
    say(8, 40, 0)
    assert look() == {"session"}


def test_what_changes_while_a_plan_is_made_has_another_one_made(
    database: Engine, home: str
) -> None:
    with unit_of_work(database) as connection:
        charging_session(connection)

    class InterruptedSolver(Solver):
        """A solver during whose search the owner takes the charging session back."""

        def solve_relaxed(self, model: LinearModel, **options: Any) -> LinearSolution:
            with unit_of_work(database) as other:
                for each in charging_sessions.read_standing(other, home, first=START):
                    charging_sessions.remove(other, home, each.session_id, by="anna")
            return super().solve_relaxed(model, **options)

    with unit_of_work(database) as connection:
        request = PlanRequest(site_id=home)
        plan_and_store(request, lambda: connection, now=START, solver=InterruptedSolver())
    with unit_of_work(database) as connection:
        assert {kind for _, kind in plan_causes.read(connection, [home])} == {"session"}


def test_a_plan_of_another_time_takes_no_change_back(database: Engine, home: str) -> None:
    with unit_of_work(database) as connection:
        charging_session(connection)
        plan_and_store(
            PlanRequest(site_id=home, start=START + timedelta(hours=1)),
            lambda: connection,
            now=START,
            solver=Solver(),
        )
        assert len(plan_causes.read(connection, [home])) == 1
        plan_and_store(PlanRequest(site_id=home), lambda: connection, now=START, solver=Solver())
        assert plan_causes.read(connection, [home]) == {}


def test_a_site_that_cannot_be_planned_is_tried_once_for_each_change(
    database: Engine, home: str
) -> None:
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site({"name": OTHER, "timezone": "Europe/Vienna"}))
        reply = plan_sites(
            connection, PlanSitesRequest(site_ids=[OTHER, home]), now=START + timedelta(days=9)
        )
        assert {fault.site_id for fault in reply.faults} == {OTHER, home}
        assert plan_causes.read(connection, [OTHER]) == {}
        assert (
            connection.scalars(
                select(plan_history.c.plan_id).where(plan_history.c.site == OTHER)
            ).all()
            != []
        )


def test_a_plan_of_later_hides_none_that_holds_now(connection: Connection, home: str) -> None:
    holding = plans.latest_id(connection, home, now=START)
    later = START + timedelta(minutes=10)
    hour = timedelta(hours=1)
    with connection.begin_nested() as undone:
        ahead = plan_and_store(
            PlanRequest(site_id=home, start=START + hour),
            lambda: connection,
            now=later,
            solver=Solver(),
        ).plan_id
        assert plans.latest_id(connection, home, now=later) == holding
        assert plans.issued_last(connection, home) == START
        # A site whose present plan is old is due, whatever is planned for later.
        assert plans.list_outdated(connection, [home], issued_before=later) == [home]
        assert plans.latest_id(connection, home, now=START + timedelta(days=3)) == ahead
        undone.rollback()


def test_why_a_site_got_no_plan_is_kept_until_it_gets_one(
    connection: Connection, home: str
) -> None:
    later = START + timedelta(days=5)
    with connection.begin_nested() as undone:
        assert plan_sites(connection, PlanSitesRequest(site_ids=[OTHER]), now=later).plans == {}
        fault = plan_faults.load(connection, OTHER)
        assert fault is not None
        assert (fault.tried_at, fault.error.code, fault.error.reason) == (
            later,
            "not-found",
            "no-forecast-at-start",
        )
        issue(connection, OTHER, later)
        assert plan_sites(connection, PlanSitesRequest(site_ids=[OTHER]), now=later).faults == []
        assert plan_faults.load(connection, OTHER) is None
        undone.rollback()


def test_prices_that_come_in_the_middle_of_a_slot_are_planned_with_at_once(
    connection: Connection, home: str
) -> None:
    came = START + timedelta(minutes=2)
    with connection.begin_nested() as undone:
        publish_at(connection, came)
        plan_sites(connection, PlanSitesRequest(site_ids=[home]), now=came + timedelta(seconds=5))
        holding = plans.read_due(connection, home, came + timedelta(seconds=5))
        assert holding is not None
        # As ``publish_at`` writes it at 12:17; the slot began at 12:15.
        assert holding.slots[0].import_price == pytest.approx(0.67)
        undone.rollback()


def change_tariff(connection: Connection, now: datetime) -> None:
    export = {"kind": "fixed", "price": 0.01 + (now - START) / timedelta(days=10)}
    sites.save(
        connection, parse_site(DOCUMENT | {"tariff": DOCUMENT["tariff"] | {"export": export}})
    )  # type: ignore[operator]


def publish_at(connection: Connection, now: datetime) -> None:
    later = Timeline(floor_to(now, SLOT), SLOT, 4).starts
    prices.upsert(
        connection,
        MARKET,
        starts=later,
        price=np.full(4, 0.5 + (now.minute + now.second / 60) / 100),
        currency="EUR",
        published_at=now,
    )


def session_from(connection: Connection, now: datetime) -> None:
    standing = charging_sessions.read_standing(connection, NAME, first=now)
    first = max((each.to for each in standing), default=now)
    wanted = NewSession(
        vehicle="car",
        **{"from": first, "to": first + timedelta(hours=3)},
        arrival_soc=0.4,
        target_soc=0.6,
    )
    charging_sessions.add(connection, NAME, wanted, by="anna", now=now)


def leave_at_once(connection: Connection, now: datetime) -> None:
    for each in charging_sessions.read_standing(connection, NAME, first=now):
        charging_sessions.remove(connection, NAME, each.session_id, by="anna")


def block_ahead(connection: Connection, now: datetime) -> None:
    first = floor_to(now, SLOT) + timedelta(
        hours=len(manual_blocks.read_standing(connection, NAME, first=now)) + 1
    )
    wanted = ManualBlock(
        device="battery", action="hold", **{"from": first, "to": first + timedelta(hours=1)}
    )
    manual_blocks.add(connection, NAME, wanted, by="anna", now=now)


def lose_a_plan(connection: Connection, now: datetime) -> None:
    plan_causes.note(connection, [sites.key_of(connection, NAME)], "owner")
    assert plan_causes.take_due(connection, [NAME], now=now) == [NAME]


EVENTS: dict[str, Callable[[Connection, datetime], None]] = {
    "site": change_tariff,
    "prices": publish_at,
    "forecast": lambda connection, now: issue(
        connection, NAME, floor_to(now, SLOT), 0.11 + (now - START) / timedelta(days=30)
    ),
    "departure": session_from,
    "departure taken back": leave_at_once,
    "block": block_ahead,
    "override": lambda connection, now: control.override(
        connection, NAME, Override(mode="hold", until=now + timedelta(hours=1), by="anna")
    ),
    # A machine that slept, and one that is started again in the middle of a plan, which is lost
    # with its worker.
    "sleep": lambda _connection, _now: None,
    "restart": lose_a_plan,
}


@settings(
    max_examples=draws(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(
    events=[("departure", 40), ("restart", 0), ("prices", 0), ("sleep", 9000), ("override", 0)]
)
@given(
    events=st.lists(
        st.tuples(st.sampled_from(sorted(EVENTS)), st.integers(0, 1200)), min_size=1, max_size=6
    )
)
def test_no_plan_is_older_than_its_causes_by_more_than_ten_seconds_whatever_comes_after_what(
    connection: Connection, home: str, events: list[tuple[str, int]]
) -> None:
    now = START
    with connection.begin_nested() as undone:
        for kind, seconds in events:
            now += timedelta(seconds=seconds, hours=3 if kind == "sleep" else 0)
            EVENTS[kind](connection, now)
            # Beat looks every five seconds; a plan that was lost is asked for again a minute after
            # it was asked for.
            came = now + (plan_causes.REQUEST_VALIDITY if kind == "restart" else timedelta(0))
            for _ in range(2 + (12 if kind == "restart" else 0)):
                now += timedelta(seconds=5)
                due = plan_causes.take_due(connection, [home], now=now)
                old = plans.list_outdated(connection, [home], issued_before=now - RENEW_AGE)
                if due or old:
                    assert (
                        plan_sites(connection, PlanSitesRequest(site_ids=[home]), now=now).faults
                        == []
                    )
            assert plan_causes.read(connection, [home]) == {}
            holding = plans.read_due(connection, home, now)
            assert holding is not None
            assert now - holding.issued_at <= RENEW_AGE
            # What an override, or nothing taken back, leaves as it was planned is the same plan.
            if kind in {"site", "prices", "forecast", "departure", "block"}:
                assert came <= holding.issued_at <= came + timedelta(seconds=10)
        undone.rollback()
