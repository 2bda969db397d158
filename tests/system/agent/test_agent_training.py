"""Training an agent on a stored site: what is left behind, who becomes champion, and what is
refused.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.agent import AgentCardRequest, AgentKind, TrainAgentReply, TrainAgentRequest
from luna.contracts.data import DayQuality
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.observations import Observations
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, local_days, local_midnight, parse_zone
from luna.platform.database import forecasts, observations, quality, sites, training_runs
from luna.platform.objects import FileObjects
from services.agent.artefacts import load_artefact, save_artefact
from services.agent.declaration import Lesson
from services.agent.registry import find_kind, find_kinds, load_agent, load_agents
from services.agent.training import compose_artefact, describe_agent, train_agent
from services.agent.training_history import read_history
from services.forecaster.model.aurora import Progress, keep_quiet
from tests.support.suite.depth import LONG

# Without the day with a gap and the excluded one 22 can be learned from: one more than are needed.
FIRST = date(2024, 4, 2)
DAYS = 24
ZONE = parse_zone("Europe/Berlin")
NOW = datetime(2024, 6, 1, tzinfo=UTC)
TARIFF = {
    "import": {
        "kind": "time_of_use",
        "default": 0.3,
        "bands": [{"from": "00:00", "to": "05:00", "price": 0.15}],
    },
    "export": {"kind": "fixed", "price": 0.07},
}
BATTERY = {"capacity_kwh": 6, "charge_limit_kw": 3, "discharge_limit_kw": 3}
PARTS = {
    "name": "learner",
    "timezone": "Europe/Berlin",
    "batteries": [BATTERY],
    "pv": [{"peak_kw": 4}],
    "tariff": TARIFF,
}
# Forecasts by a rule: these tests are of agents, and need no forecaster trained for each of their
# trainings.
SITE = parse_site(PARTS | {"forecasting": {"active_forecast_version": "baseline_7_day_avg"}})


def measure(days: int) -> Observations:
    """Return an evening's load and a sun of changing strength; one day has a gap."""
    rng = np.random.default_rng(0)
    timeline = local_days(FIRST, FIRST + timedelta(days=days - 1), ZONE)
    hour = np.arange(timeline.count) % 96 / 4
    load = (0.05 + 0.3 * np.exp(-((hour - 19) ** 2) / 6)) * rng.gamma(4, 0.25, hour.size)
    pv = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * rng.uniform(0.1, 0.8, days).repeat(96)
    load[5 * 96 + 40 : 5 * 96 + 50] = np.nan
    return Observations.of(timeline.starts, {"load_kwh": load, "pv_kwh": pv})


@dataclass(frozen=True)
class Trained:
    """A transaction in which a site has three weeks and a half, and trees that learned from most of
    them; ``heard`` is how far their training said it was.
    """

    connection: Connection
    objects: FileObjects
    first: TrainAgentReply
    heard: list[float]


@pytest.fixture(scope="module")
def trained(database: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    objects = FileObjects(tmp_path_factory.mktemp("objects"))
    heard: list[float] = []
    with database.connect() as connection, closing(connection.begin()):
        sites.save(connection, SITE)
        observations.upsert(connection, SITE.name, measure(DAYS))
        quality.save(
            connection, SITE.name, [DayQuality(day=FIRST + timedelta(days=9), verdict="exclude")]
        )
        # Made once, and found by every training as those that were issued then.
        forecasts.upsert(
            connection,
            SITE.name,
            list(read_history(connection, SITE.name, until=NOW).scene.forecasts.forecasts),
        )
        first = train(
            connection,
            objects,
            "imitation",
            progress=lambda done, total, _label: heard.append(done / total),
        )
        yield Trained(connection, objects, first, heard)


@pytest.fixture
def home(trained: Trained) -> Iterator[Connection]:
    savepoint = trained.connection.begin_nested()
    yield trained.connection
    savepoint.rollback()


@pytest.fixture
def objects(trained: Trained) -> FileObjects:
    return trained.objects


@pytest.fixture
def first(trained: Trained) -> TrainAgentReply:
    return trained.first


def train(
    connection: Connection,
    objects: FileObjects,
    kind: AgentKind,
    *,
    progress: Progress = keep_quiet,
    **asked: Any,
) -> TrainAgentReply:
    request = TrainAgentRequest(site_id=SITE.name, kind=kind, **asked)
    return train_agent(connection, request, objects=objects, now=NOW, progress=progress)


def test_a_training_leaves_a_run_an_artefact_and_a_card(
    home: Connection, objects: FileObjects, first: TrainAgentReply
) -> None:
    run = training_runs.load(home, SITE.name, first.run_id)
    card = describe_agent(home, objects, AgentCardRequest(site_id=SITE.name, kind="imitation"))

    assert first.accepted
    assert (run.version, run.artefact_key, run.accepted) == (
        "agent_imitation_v1",
        first.artefact_key,
        True,
    )
    assert load_artefact(objects, first.artefact_key).header.data_until == run.data_until
    assert card.facts["run_id"] == first.run_id
    assert first.run_id in card.text


def test_the_days_of_the_trial_are_not_learned_from(first: TrainAgentReply) -> None:
    # Of 22 days a fifth would be four; no fewer than seven are held out.
    assert first.metrics["trial.days"] == 7.0
    assert first.data_until == local_midnight(FIRST + timedelta(days=DAYS - 7), ZONE).astimezone(
        UTC
    )


def test_days_with_gaps_and_excluded_ones_are_left_out(home: Connection) -> None:
    history = read_history(home, SITE.name, until=NOW)

    assert len(history.days) == DAYS - 2
    assert {FIRST + timedelta(days=5), FIRST + timedelta(days=9)}.isdisjoint(history.days)


def test_the_champion_speaks_from_where_the_days_of_its_trial_end(
    home: Connection, objects: FileObjects, first: TrainAgentReply
) -> None:
    site = sites.load(home, SITE.name)
    tried = local_midnight(FIRST + timedelta(days=DAYS), ZONE)
    agent = load_agent(home, objects, site, "imitation", before=tried)

    assert agent.run_id == first.run_id
    assert load_agents(home, objects, site, before=tried - SLOT) == []
    with pytest.raises(NotFoundError) as refused:
        load_agent(home, objects, site, "imitation", before=tried - SLOT)
    assert refused.value.reason == "agent-untrained-before"


# In a short run one is made in tests/system/agent/test_evaluation.py.
@pytest.mark.long
def test_a_new_agent_stands_a_trial_beside_the_champion(
    home: Connection, objects: FileObjects, first: TrainAgentReply
) -> None:
    second = train(home, objects, "imitation", seed=1)

    assert {"trial.new.score", "trial.champion.score", "trial.planner.score"} <= set(second.metrics)
    assert training_runs.load(home, SITE.name, second.run_id).parent_run_id == first.run_id
    assert second.accepted == (
        second.metrics["trial.new.score"] >= second.metrics["trial.champion.score"] - 0.005
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", ["network", "clone", "value"])
def test_each_kind_is_trained_by_the_same_way(
    home: Connection, objects: FileObjects, kind: AgentKind
) -> None:
    reply = train(home, objects, kind)

    assert (reply.kind, reply.state_version, reply.accepted) == (
        kind,
        find_kinds()[kind].state_version,
        True,
    )
    assert (
        load_agent(home, objects, sites.load(home, SITE.name), find_kinds()[kind].policy).run_id
        == reply.run_id
    )


def test_the_same_seed_stores_the_same_artefact_whatever_is_measured_after_until(
    home: Connection, objects: FileObjects, first: TrainAgentReply
) -> None:
    until = local_midnight(FIRST + timedelta(days=DAYS), ZONE).astimezone(UTC)
    later = measure(DAYS + 4)
    changed = Observations.of(
        later.starts[DAYS * 96 :],
        {"load_kwh": later.load_kwh[DAYS * 96 :] * 5, "pv_kwh": later.pv_kwh[DAYS * 96 :] * 0.1},
    )
    observations.upsert(home, SITE.name, changed)

    # The training without its trial, of which nothing is in the artefact.
    learned, _ = read_history(home, SITE.name, until=until).split()
    kind = find_kind("imitation")
    lesson = Lesson(learned)
    artefact = compose_artefact(kind, SITE, lesson, kind.train(lesson))
    assert save_artefact(artefact, objects) == first.artefact_key


def test_a_longer_history_holds_the_shorter_one(home: Connection) -> None:
    """Who wants several reads the longest: forecasts that are made for it are those that are made
    for each.
    """
    # By the version that learns, of which nothing is stored.
    sites.save(home, parse_site(PARTS))
    ends = (20, DAYS) if LONG else (6, 8)
    until, later = (local_midnight(FIRST + timedelta(days=days), ZONE) for days in ends)
    short, long = (read_history(home, SITE.name, until=each) for each in (until, later))
    cut = long.within(long.scene.timeline.start, until)
    assert (cut.scene.timeline, cut.days) == (short.scene.timeline, short.days)
    for mine, theirs in zip(
        cut.scene.forecasts.forecasts, short.scene.forecasts.forecasts, strict=True
    ):
        assert mine.issued_at == theirs.issued_at
        np.testing.assert_array_equal(mine.load_kwh.expected, theirs.load_kwh.expected)
        np.testing.assert_array_equal(mine.pv_kwh.expected, theirs.pv_kwh.expected)
    np.testing.assert_array_equal(cut.scene.foresight.load_kwh, short.scene.foresight.load_kwh)
    for name, book in short.scene.prices.books.items():
        known = cut.scene.prices.books[name].actual("day_ahead")
        np.testing.assert_array_equal(known, book.actual("day_ahead"))


def test_another_battery_needs_another_training(
    home: Connection, objects: FileObjects, first: TrainAgentReply
) -> None:
    other = SITE.model_copy(
        update={"batteries": [SITE.batteries[0].model_copy(update={"capacity_kwh": 12.0})]}
    )
    sites.save(home, other)

    assert load_agents(home, objects, other, names=["imitation"]) == []


def test_a_site_with_few_days_says_how_many_it_needs(
    home: Connection, objects: FileObjects
) -> None:
    until = local_midnight(FIRST + timedelta(days=12), ZONE).astimezone(UTC)
    with pytest.raises(InvalidInputError) as refused:
        train(home, objects, "imitation", until=until)
    assert (refused.value.reason, refused.value.parameters) == (
        "too-few-days-to-learn",
        {"days": 10, "needed": 21},
    )


def test_a_site_without_any_history_says_so(home: Connection, objects: FileObjects) -> None:
    empty: Site = SITE.model_copy(update={"name": "empty"})
    sites.save(home, empty)
    with pytest.raises(InvalidInputError) as refused:
        train_agent(
            home, TrainAgentRequest(site_id="empty", kind="imitation"), objects=objects, now=NOW
        )
    assert refused.value.reason == "no-whole-day-measured"


def test_progress_is_told(trained: Trained) -> None:
    assert trained.heard == sorted(trained.heard)
    assert len(trained.heard) >= 4


def test_the_store_of_objects_refuses_what_nobody_can_read(
    home: Connection, objects: FileObjects, first: TrainAgentReply, tmp_path: Path
) -> None:
    assert load_agents(home, FileObjects(tmp_path), sites.load(home, SITE.name)) == []
