"""Replays of stored sites: what they leave behind, and how they go on."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, text

from luna.contracts.data import DayQuality
from luna.contracts.replay import Fault, ReplayReply, ReplayRequest, ReplaySitesRequest
from luna.energy.errors import NotFoundError
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline, local_days, parse_zone
from luna.house.desk.work import Workplace
from luna.platform.database import (
    engine,
    episodes,
    forecasts,
    observations,
    quality,
    replays,
    scores,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client
from luna.platform.queue.app import LONGEST_LIMIT
from luna.platform.queue.jobs import submit_job
from luna.platform.settings import load_settings
from services.cli.replay import replay_on_workers
from services.planner.replay import Progress
from services.planner.service.replay import Store, replay_on, replay_sites
from tests.support.command_line.call import Luna
from tests.support.database.databases import migrated_database
from tests.support.worker.workers import worker_process

FIRST = date(2024, 3, 30)
LAST = date(2024, 4, 1)
ZONE = parse_zone("Europe/Berlin")
# The second of these days has 23 hours.
WINDOW = local_days(FIRST, LAST, ZONE)
TARIFF = {
    "import": {
        "kind": "time_of_use",
        "default": 0.3,
        "bands": [{"from": "00:00", "to": "05:00", "price": 0.15}],
    },
    "export": {"kind": "fixed", "price": 0.07},
}
BATTERY = {"capacity_kwh": 6, "charge_limit_kw": 3, "discharge_limit_kw": 3}
SITE = parse_site(
    {
        "name": "replayed",
        "timezone": "Europe/Berlin",
        "batteries": [BATTERY],
        "pv": [{"peak_kw": 4}],
        "tariff": TARIFF,
    }
)


# 04:15 and 14:15 in Berlin, the day after the last one.
NIGHT = datetime(2024, 4, 2, 2, 15, tzinfo=UTC)
DAYTIME = datetime(2024, 4, 2, 12, 15, tzinfo=UTC)


class KilledError(Exception):
    """The worker is gone."""


@pytest.fixture(scope="module")
def database_url(database_server: str) -> Iterator[str]:
    """A database that no other test has sites in: every stored site is replayed."""
    with migrated_database(database_server, "replayed") as own:
        yield own


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Engine]:
    """An engine on it."""
    pool = engine.create(database_url, idle_limit=LONGEST_LIMIT)
    yield pool
    pool.dispose()


@pytest.fixture
def replayed(database: Engine) -> Iterator[Engine]:
    """A site with three recorded days and a forecast at each midnight."""
    rng = np.random.default_rng(0)
    load = rng.gamma(4, 0.05, WINDOW.count)
    pv = rng.uniform(0, 0.6, WINDOW.count)
    with unit_of_work(database) as connection:
        sites.save(connection, SITE)
        observations.upsert(
            connection, SITE.name, Observations.of(WINDOW.starts, {"load_kwh": load, "pv_kwh": pv})
        )
        for start in (WINDOW.start, WINDOW.start + 96 * SLOT, WINDOW.start + 188 * SLOT):
            ahead = Timeline(start, SLOT, 192)
            issued = Forecast(
                ahead,
                start,
                "baseline_like_days",
                Quantiles.exact(np.full(192, 0.2)),
                Quantiles.exact(np.full(192, 0.3)),
            )
            forecasts.upsert(connection, SITE.name, [issued])
    yield database
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM sites"))
        connection.execute(text("DELETE FROM jobs"))


def ask(**changes: Any) -> ReplayRequest:
    return ReplayRequest(
        site_id=SITE.name,
        from_day=FIRST,
        to_day=LAST,
        every_minutes=720,
        **{"policies": ["self_consumption", "mpc_perfect"]} | changes,
    )


def run(database: Engine, request: ReplayRequest, progress: Progress | None = None) -> ReplayReply:
    with unit_of_work(database) as connection:
        return replay_on(Store.beside(database, lambda: connection), request, progress=progress)


def count_days(database: Engine) -> int:
    with unit_of_work(database) as connection:
        return connection.scalar(text("SELECT count(*) FROM replay_days")) or 0


def run_until(database: Engine, request: ReplayRequest, last: str) -> list[str]:
    """Replay until the worker is gone, right after a day was lived."""
    told: list[str] = []

    def note(_done: int, _total: int, label: str) -> None:
        told.append(label)
        NOTHING_AFTER[label == last]()

    with pytest.raises(KilledError):
        run(database, request, note)
    return told


def die() -> None:
    raise KilledError


NOTHING_AFTER = {True: die, False: lambda: None}


def test_a_killed_replay_goes_on_where_it_was_and_says_bit_for_bit_the_same(
    replayed: Engine,
) -> None:
    request = ask(faults=[Fault(kind="sensor_frozen", hours=30)], seed=3)
    whole = run(replayed, request)
    assert run_until(replayed, request, "2024-03-31") == ["2024-03-30", "2024-03-31"]
    assert count_days(replayed) == 2
    told: list[str] = []
    resumed = run(replayed, request, lambda _done, _total, label: told.append(label))
    assert told == ["2024-04-01"]
    assert resumed.model_dump_json() == whole.model_dump_json()
    assert count_days(replayed) == 0


def test_what_was_lived_with_other_data_is_not_gone_on_from(replayed: Engine) -> None:
    run_until(replayed, ask(), "2024-03-31")
    with unit_of_work(replayed) as connection:
        observations.upsert(
            connection, SITE.name, Observations.of(WINDOW.starts[:1], {"load_kwh": np.ones(1)})
        )
    told: list[str] = []
    run(replayed, ask(), lambda _done, _total, label: told.append(label))
    assert told == ["2024-03-30", "2024-03-31", "2024-04-01"]


def read_all(database: Engine) -> dict[str, list[Any]]:
    queries = {
        "scores": (
            "SELECT day, system_id, policy, cost, stored_gain, value_gain FROM daily_scores "
            "ORDER BY 1, 2, 3"
        ),
        "oracle": "SELECT * FROM oracle_daily_results ORDER BY day",
        "episodes": "SELECT * FROM antares_learning ORDER BY slot_start",
    }
    with unit_of_work(database) as connection:
        return {
            name: [tuple(row) for row in connection.execute(text(query))]
            for name, query in queries.items()
        }


def test_replaying_twice_stores_once(replayed: Engine) -> None:
    request = ask(episodes="mpc_perfect")
    run(replayed, request)
    first = read_all(replayed)
    run(replayed, request)
    second = read_all(replayed)
    assert {name: len(rows) for name, rows in first.items()} == {
        "scores": 6,
        "oracle": 3,
        "episodes": 3,
    }
    assert (second["scores"], second["oracle"]) == (first["scores"], first["oracle"])
    assert second["episodes"] == first["episodes"]


def test_days_are_kept_with_the_oracles_worth_of_what_is_left_in_the_battery(
    replayed: Engine,
) -> None:
    reply = run(replayed, ask(policies=["mpc_perfect", "oracle"]))
    with unit_of_work(replayed) as connection:
        kept = scores.read_daily(connection, SITE.name, system_id="simulation")
        oracle = replays.read_oracle(connection, SITE.name, FIRST, LAST)
    assert kept == {name: policy.days for name, policy in reply.policies.items()}
    assert [day.oracle_cost for day in oracle] == [
        day.cost for day in reply.policies["oracle"].days
    ]
    assert [len(day.schedule["soc"]["battery"]) for day in oracle] == [96, 92, 96]


def test_what_another_system_replays_is_neither_optimum_nor_episode(replayed: Engine) -> None:
    run(replayed, ask(system_id="evaluation", episodes="mpc_perfect"))
    assert [len(rows) for rows in read_all(replayed).values()] == [6, 0, 0]


def test_an_episode_is_a_day_in_which_each_state_is_followed_by_the_next(replayed: Engine) -> None:
    reply = run(replayed, ask(policies=["mpc"]))
    with unit_of_work(replayed) as connection:
        days = episodes.read(
            connection,
            SITE.name,
            "simulation",
            first=WINDOW.start,
            end=datetime(2024, 4, 2, tzinfo=UTC),
        )
    assert [day.slot_start for day in days] == [
        WINDOW.start,
        WINDOW.start + 96 * SLOT,
        WINDOW.start + 188 * SLOT,
    ]
    short = days[1]
    assert [
        len(short.state[name]) for name in ("load_kwh", "import_price", "load_p50_kwh", "hour")
    ] == [92] * 4
    assert short.state["hour"][7:9] == [1.75, 3.0]
    assert len(short.action["mode"]["battery"]) == 92
    soc = [day.state["soc"]["battery"] for day in days]
    assert [len(course) for course in soc] == [97, 93, 97]
    assert [course[-1] for course in soc[:2]] == [course[0] for course in soc[1:]]
    assert [day.reward for day in days] == [-day.cost for day in reply.policies["mpc"].days]


def add_second(database: Engine) -> None:
    """Add a site without a battery whose sun gives what it needs."""
    with unit_of_work(database) as connection:
        sites.save(connection, SITE.model_copy(update={"name": "second", "batteries": []}))
        load = {name: np.full(WINDOW.count, 0.1) for name in ("load_kwh", "pv_kwh")}
        observations.upsert(connection, "second", Observations.of(WINDOW.starts, load))


def test_each_site_is_replayed_by_a_job_of_its_own(replayed: Engine, redis_url: str) -> None:
    with unit_of_work(replayed) as connection:
        sites.save(connection, SITE.model_copy(update={"name": "second"}))
    client = Client(redis_url)
    asked = ReplaySitesRequest(from_day=FIRST, to_day=LAST, policies=["rule"], seed=7)
    jobs = replay_sites(
        replayed, asked, ask=lambda wanted: submit_job(replayed, client, wanted), now=DAYTIME
    ).jobs
    again = replay_sites(
        replayed, asked, ask=lambda wanted: submit_job(replayed, client, wanted), now=DAYTIME
    ).jobs
    client.close()
    assert list(jobs) == ["replayed", "second"]
    assert again == jobs
    with unit_of_work(replayed) as connection:
        requests = connection.execute(
            text("SELECT request ->> 'site_id', request -> 'seed' FROM jobs ORDER BY 1")
        ).all()
    assert [tuple(row) for row in requests] == [("replayed", 7), ("second", 7)]


def test_a_site_that_is_not_there_is_asked_nothing_of(replayed: Engine) -> None:
    asked = ReplaySitesRequest(site_ids=["nowhere"], from_day=FIRST, to_day=LAST)
    with pytest.raises(NotFoundError):
        replay_sites(replayed, asked, ask=lambda _: pytest.fail("asked"), now=DAYTIME)


def list_due(
    database: Engine, redis_url: str, request: ReplaySitesRequest, now: datetime
) -> list[tuple[str, str]]:
    """Look for days that are due.

    Return first and last day of every replay that was asked for so far.
    """
    with closing(Client(redis_url)) as client:
        replay_sites(
            database, request, ask=lambda wanted: submit_job(database, client, wanted), now=now
        )
    with unit_of_work(database) as connection:
        rows = connection.execute(
            text("SELECT request ->> 'from_day', request ->> 'to_day' FROM jobs ORDER BY 1")
        )
        return [(first, last) for first, last in rows]


@pytest.fixture
def judged(replayed: Engine) -> Engine:
    """The same, its three days judged and trusted."""
    with unit_of_work(replayed) as connection:
        quality.save(
            connection,
            SITE.name,
            [DayQuality(day=FIRST + timedelta(days=day), verdict="clean") for day in range(3)],
        )
    return replayed


def test_days_that_wait_are_replayed_in_the_site_s_night_and_once(
    judged: Engine, redis_url: str
) -> None:
    by_the_clock = ReplaySitesRequest()
    # 23:30 UTC is 01:30 in Berlin.
    assert list_due(judged, redis_url, by_the_clock, datetime(2024, 4, 1, 23, 30, tzinfo=UTC)) == []
    assert list_due(judged, redis_url, by_the_clock, NIGHT) == [("2024-03-30", "2024-04-01")]
    assert list_due(judged, redis_url, by_the_clock, NIGHT + timedelta(hours=1)) == [
        ("2024-03-30", "2024-04-01")
    ]


def test_what_was_replayed_is_not_due_again(judged: Engine, redis_url: str) -> None:
    run(judged, ask(policies=["self_consumption", "mpc", "oracle"]))
    assert list_due(judged, redis_url, ReplaySitesRequest(), NIGHT) == []


def test_a_day_with_a_gap_a_day_without_a_forecast_and_a_day_that_is_not_over_are_not_due(
    judged: Engine, redis_url: str
) -> None:
    with unit_of_work(judged) as connection:
        connection.execute(
            text(
                "UPDATE slot_observations SET pv_kwh = NULL WHERE slot_start = '2024-03-31T12:00Z'"
            )
        )
        connection.execute(text("DELETE FROM slot_forecasts WHERE issued_at = '2024-03-29T23:00Z'"))
    # The night before the last of them is over; that one alone would be whole.
    assert list_due(judged, redis_url, ReplaySitesRequest(), NIGHT - timedelta(days=1)) == []
    assert list_due(judged, redis_url, ReplaySitesRequest(), NIGHT) == [
        ("2024-04-01", "2024-04-01")
    ]


def test_days_without_prices_are_not_due(judged: Engine, redis_url: str) -> None:
    spot = parse_site(
        SITE.model_dump(mode="json", by_alias=True)
        | {"tariff": {"import": {"kind": "spot", "market": "XX"}}}
    )
    with unit_of_work(judged) as connection:
        sites.save(connection, spot)
    assert list_due(judged, redis_url, ReplaySitesRequest(), NIGHT) == []


def test_a_site_that_is_named_is_looked_at_at_any_hour(judged: Engine, redis_url: str) -> None:
    assert list_due(judged, redis_url, ReplaySitesRequest(site_ids=[SITE.name]), DAYTIME) == [
        ("2024-03-30", "2024-04-01")
    ]


def test_one_day_alone_names_no_span() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        ReplaySitesRequest(from_day=FIRST)


def test_a_command_replays_several_sites_in_its_own_process_where_no_worker_is(
    replayed: Engine, luna_on_servers: Luna
) -> None:
    add_second(replayed)
    days = ["--from", FIRST.isoformat(), "--to", LAST.isoformat()]
    said = luna_on_servers(
        "replay",
        "--site",
        "all",
        *days,
        "--policies",
        "rule",
        "--faults",
        "grid_outage=2",
        "--seed",
        "5",
        "--json",
    )
    assert said.code == 0
    sites_said = said.document["sites"]
    assert list(sites_said) == ["replayed", "second"]
    assert [reply["faults"][0]["spans"] for reply in sites_said.values()] == [
        sites_said["second"]["faults"][0]["spans"]
    ] * 2
    assert sites_said["second"]["faults"][0]["unserved_kwh"]["rule"] == 0.0


def test_workers_replay_sites_side_by_side_and_say_what_one_process_says(
    replayed: Engine, database_url: str, redis_url: str
) -> None:
    add_second(replayed)
    requests = {
        name: ask(policies=["rule"]).model_copy(update={"site_id": name})
        for name in (SITE.name, "second")
    }
    told: set[str] = set()
    with (
        worker_process(redis_url, database_url, "services.planner.tasks"),
        closing(Client(redis_url)) as client,
    ):
        replies = replay_on_workers(
            Workplace(load_settings(), replayed, client),
            requests,
            lambda _done, _total, label: told.add(label.split()[0]),
        )
    assert replies == {name: run(replayed, request) for name, request in requests.items()}
    assert SITE.name in told
