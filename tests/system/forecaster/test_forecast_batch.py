"""Forecasts of many sites in one batch: each bit for bit the one its site gets alone, one site's
fault its own, a batch that dies nobody's loss.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, func, select, text

from luna.contracts.data import DayQuality
from luna.contracts.forecast import IssueRequest, RefreshForecastsReply, RefreshForecastsRequest
from luna.energy.outlook import PARTS
from luna.energy.site.sensors import OWN_VACATION
from luna.energy.timeline import SLOT, Timeline
from luna.house.learning_reset import reset_today
from luna.platform.database import (
    forecast_activations,
    forecast_issues,
    forecasts,
    observations,
    prices,
    quality,
    readings,
    site_removal,
    sites,
    training_runs,
    weather_carbon,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION, Activation
from luna.platform.database.schema.forecasting import forecast_issues as issues_table
from luna.platform.database.schema.forecasting import forecast_scenarios as scenarios_table
from luna.platform.database.schema.series import slot_forecasts
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import FileObjects
from services.forecaster.forecast_issue import issue_forecasts
from services.forecaster.model.artefact import save_aurora
from services.forecaster.model.aurora import VERSION, Progress, TrainSettings, keep_quiet, train
from services.forecaster.model.baseline import BASELINES
from services.forecaster.model.trees import TreeSettings
from services.forecaster.retraining.refresh import ForecastBatches, refresh_forecasts
from tests.support.household.measurements import (
    START,
    day,
    describe_site,
    forecast_weather,
    measure_days,
)
from tests.support.suite.depth import LONG

DAYS = 20
TINY = TrainSettings(rows=1_500, trees=TreeSettings(rounds=5, rows_per_leaf=50), threads=1)
# Between two hours of which all versions are due, so that hourly ones and the others know another
# past.
NOW = day(DAYS, 7.1)
SPOT = {
    "import": {"kind": "spot", "market": "NL", "markup": 0.1},
    "export": {"kind": "spot", "market": "NL"},
}
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "modelled": {},
    "weather": {"tariff": SPOT},
    "away": {"timezone": "Europe/Lisbon"},
    "roofless": {"pv": []},
    "nowhere": {"location": None, "tariff": SPOT},
    "recorded": {
        "tariff": SPOT,
        "pv": [{"name": "east", "peak_kw": 3, "tilt_deg": 20, "azimuth_deg": 95}],
    },
    "lost model": {},
    "new": {},
}
VERSIONS = (VERSION, *BASELINES)
# Those of which a short run asks that a batch changes nothing; of each it asks what it is there
# for.
COMPARED = (
    list(KINDS) if LONG else ["plain", "modelled", "weather", "recorded", "lost model", "new"]
)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> FileObjects:
    return FileObjects(tmp_path_factory.mktemp("objects"))


@pytest.fixture(scope="module")
def model(objects: FileObjects) -> str:
    return save_aurora(
        train(measure_days(DAYS), site=describe_site(), until=day(DAYS), settings=TINY), objects
    )


@pytest.fixture
def fleet(connection: Connection, objects: FileObjects, model: str) -> list[str]:
    """A site of each kind."""
    for number, (name, parts) in enumerate(KINDS.items()):
        site = describe_site(**parts | {"name": name})
        sites.save(connection, site)
        if name != "new":
            observations.upsert(
                connection,
                name,
                measure_days(DAYS + 1, seed=number).without([(NOW + 2 * SLOT, day(DAYS + 1))]),
            )
    around = Timeline(day(-10), SLOT, 96 * (DAYS + 13))
    spot = (
        0.1 + 0.05 * np.sin(np.arange(around.count) / 15) + 0.01 * np.sin(np.arange(around.count))
    )
    prices.upsert(
        connection,
        "NL",
        starts=around.starts,
        price=spot,
        currency="EUR",
        published_at=around.starts - np.timedelta64(30, "h"),
    )
    use_model(connection, "modelled", model)
    use_model(connection, "lost model", "aurora/gone.json.gz")
    store_weather(connection, "weather")
    keys = readings.register(connection, "away", {OWN_VACATION: None})
    readings.upsert(
        connection,
        np.array([keys[OWN_VACATION]], dtype=np.int32),
        np.array([np.datetime64("2024-03-19T12:00", "us")]),
        np.array([1.0]),
    )
    reset_today(connection, "recorded", now=day(DAYS, 5))
    quality.save(connection, "recorded", [DayQuality(day=day(9).date(), verdict="exclude")])
    request = IssueRequest(
        site_id="recorded",
        at=day(3, 7),
        to=day(DAYS - 2, 7),
        every_minutes=1440,
        forecast_version=DEFAULT_VERSION,
    )
    issue_forecasts(connection, request, objects=objects)
    return list(KINDS)


def use_model(connection: Connection, name: str, key: str) -> None:
    run = TrainingRun(
        f"run of {name}",
        VERSION,
        START,
        day(DAYS),
        "test",
        0,
        1.0,
        {"known_days": float(DAYS)},
        key,
    )
    training_runs.save(connection, name, run)
    forecast_activations.activate(
        connection, name, Activation(VERSION, "in the test", "hand", run.run_id)
    )


def store_weather(connection: Connection, name: str) -> None:
    book = forecast_weather(DAYS + 3)
    starts, issued = (
        (900 * numbers).astype("datetime64[s]") for numbers in (book.slot, book.issued)
    )
    weather_carbon.upsert(
        connection,
        "weather",
        name,
        starts,
        values=dict(book.series),
        issued_at=issued.astype("datetime64[us]"),
    )


def refresh(
    connection: Connection,
    names: Sequence[str],
    objects: FileObjects,
    *,
    progress: Progress = keep_quiet,
) -> dict[str, tuple[set[str], list[str]]]:
    """Return by site the versions that were issued, and the faults."""
    spread = ForecastBatches(
        1000, lambda _request, key: pytest.fail(f"one task does it all, and {key} was asked for")
    )
    request = RefreshForecastsRequest(site_ids=list(names))
    reply: RefreshForecastsReply = refresh_forecasts(
        connection, request, objects=objects, now=NOW, spread=spread, progress=progress
    )
    return {
        site.site_id: ({issue.forecast_version for issue in site.issued}, site.faults)
        for site in reply.sites
    }


def read_stored(connection: Connection, name: str) -> dict[str, Any]:
    """Return every byte of what is stored of the forecasts that were due."""
    found: dict[str, Any] = {}
    for version in VERSIONS:
        told = forecasts.read_all(connection, name, version=version, first=day(DAYS), last=NOW)
        arrays = [
            getattr(getattr(each, series), part)
            for each in told
            for series in ("load_kwh", "pv_kwh")
            for part in PARTS
        ]
        issues = forecast_issues.read_all(
            connection, name, version=version, first=day(DAYS), last=NOW
        )
        found[version] = (
            [each.timeline for each in told],
            [array.tobytes() for array in arrays],
            issues,
        )
    key = sites.key_of(connection, name)
    paths = select(
        scenarios_table.c.forecast_version, scenarios_table.c.issued_at, scenarios_table.c.paths
    ).where(scenarios_table.c.site_key == key)
    return found | {"scenarios": [tuple(row) for row in connection.execute(paths)]}


def refresh_alone(connection: Connection, name: str, objects: FileObjects) -> dict[str, Any]:
    """Return what is stored of a site that is refreshed alone; nothing of it stays stored."""
    trial = connection.begin_nested()
    refresh(connection, [name], objects)
    stored = read_stored(connection, name)
    trial.rollback()
    return stored


def test_each_site_gets_bit_for_bit_the_forecasts_that_it_gets_alone(
    connection: Connection, fleet: list[str], objects: FileObjects
) -> None:
    alone = {name: refresh_alone(connection, name, objects) for name in COMPARED}
    assert refresh(connection, fleet, objects) == dict.fromkeys(fleet, (set(VERSIONS), []))
    assert {name: read_stored(connection, name) for name in COMPARED} == alone
    # Each kind is what it is there for.
    reasons = {
        name: {code for issue in alone[name][VERSION][2] for code in issue.reasons}
        for name in COMPARED
    }
    assert "model_unusable" in reasons["lost model"]
    assert "no_history" in reasons["new"]
    assert alone["modelled"][VERSION][2][0].run_id == "run of modelled"
    assert {
        name: row[2]["reasons"]
        for name in ("recorded", "plain", "new")
        for row in alone[name]["scenarios"]
    } == {
        "recorded": [],
        "plain": [],
        "new": ["few_error_paths"],
    }
    assert alone["weather"][VERSION][1] != alone["plain"][VERSION][1]
    # Each version is the one that is issued by itself.
    for name in ("weather", "away", "modelled") if LONG else ("modelled",):
        together = read_stored(connection, name)
        for version in VERSIONS:
            (told,) = forecasts.read_all(
                connection, name, version=version, first=day(DAYS), last=NOW
            )
            issue_forecasts(
                connection,
                IssueRequest(site_id=name, at=told.issued_at, forecast_version=version),
                objects=objects,
                now=NOW,
            )
        assert read_stored(connection, name) == together


def test_one_sites_fault_is_its_own(
    connection: Connection, fleet: list[str], objects: FileObjects
) -> None:
    alone = {name: refresh_alone(connection, name, objects) for name in ("plain", "recorded")}
    key = sites.key_of(connection, "new")
    connection.execute(
        text("UPDATE site_versions SET configuration = '{\"name\": 3}' WHERE site_key = :key"),
        {"key": sites.key_of(connection, "away")},
    )
    connection.execute(
        text(f"ALTER TABLE slot_forecasts ADD CONSTRAINT not_new CHECK (site_key <> {key})")
    )
    connection.execute(
        text(
            "ALTER TABLE forecast_scenarios ADD CONSTRAINT no_paths CHECK (site_key <> "
            f"{sites.key_of(connection, 'roofless')})"
        )
    )

    def remove(_done: int, _total: int, name: str) -> None:
        if name == "plain" and "nowhere" in sites.names(connection):
            site_removal.remove(connection, "nowhere")

    found = refresh(
        connection,
        ["away", "plain", "never there", "new", "nowhere", "roofless", "recorded"],
        objects,
        progress=remove,
    )
    assert {name: issued for name, (issued, _) in found.items() if issued} == {
        name: set(VERSIONS) for name in ("plain", "roofless", "recorded")
    }
    assert {name for name, (_, faults) in found.items() if faults} == {
        "away",
        "never there",
        "new",
        "nowhere",
        "roofless",
    }
    assert {name: read_stored(connection, name) for name in alone} == alone
    assert read_stored(connection, "roofless")["scenarios"] == []


@contextmanager
def stored_sites(database: Engine, names: Sequence[str]) -> Iterator[None]:
    """Stored sites that other connections see."""
    try:
        with unit_of_work(database) as connection:
            for name in names:
                sites.save(connection, describe_site(name=name))
                observations.upsert(connection, name, measure_days(9, start=day(DAYS - 9)))
        yield
    finally:
        for name in names:
            with unit_of_work(database) as connection:
                site_removal.remove(connection, name)


class KilledError(BaseException):
    """A worker's end, which nothing catches."""


def test_a_batch_that_dies_leaves_nothing_and_done_again_leaves_each_forecast_once(
    database: Engine, objects: FileObjects
) -> None:
    names = ["dies one", "dies two"]
    counted = [
        select(func.count()).select_from(table).where(table.c.issued_at >= day(DAYS))
        for table in (slot_forecasts, issues_table, scenarios_table)
    ]

    def die(_done: int, _total: int, name: str) -> None:
        if name == names[1]:
            raise KilledError

    def count() -> list[int]:
        with unit_of_work(database) as connection:
            return [connection.scalar(query) or 0 for query in counted]

    with stored_sites(database, names):
        # Other sites may have some already.
        before = count()
        with pytest.raises(KilledError), unit_of_work(database) as connection:
            refresh(connection, names, objects, progress=die)
        assert count() == before
        for versions in (set(VERSIONS), set[str]()):
            with unit_of_work(database) as connection:
                assert refresh(connection, names, objects) == dict.fromkeys(names, (versions, []))
            assert [now - then for now, then in zip(count(), before, strict=True)] == [
                2 * len(VERSIONS) * 192,
                2 * len(VERSIONS),
                2,
            ]
