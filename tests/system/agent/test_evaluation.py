"""Trained policies of a stored site on days that they have not seen."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from luna.contracts.agent import EvaluateAgentReply, EvaluateAgentRequest, TrainAgentRequest
from luna.contracts.data import DayQuality
from luna.contracts.replay import ReplayRequest
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.timeline import local_midnight
from luna.platform.database import quality, scores, training_runs
from luna.platform.database.engine import unit_of_work
from luna.platform.objects import FileObjects
from services.agent.evaluation.evaluate import SYSTEM_ID, evaluate_agents
from services.agent.evaluation.replay import load_replay_agents, replay_agents
from services.agent.training import TOLERANCE, train_agent
from services.planner.service.replay import Store
from tests.support.command_line.call import Luna
from tests.support.forecasts.evaluated_home import FIRST, LAST, SITE, UNSEEN, ZONE, evaluated_home

# Of the days between nothing is learned: so many are as few as an agent is trained on, and together
# enough for the proof of a correction.
EARLY_DAYS = 21
LATE_DAYS = 20
NOW, EARLY = (
    local_midnight(day, ZONE)
    for day in (LAST + timedelta(days=1), FIRST + timedelta(days=EARLY_DAYS))
)
# Of two unseen weeks the one in the middle, rounded up, is the second.
DAYS = 7
WEEK = UNSEEN + timedelta(days=7)


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def objects(data_folder: Path) -> FileObjects:
    return FileObjects(data_folder / "objects")


@pytest.fixture(scope="module")
def home(database: Engine, objects: FileObjects) -> Iterator[Engine]:
    """The home with an agent that was trained in its first weeks."""
    with evaluated_home(database):
        with unit_of_work(database) as connection:
            between = range(EARLY_DAYS, (UNSEEN - FIRST).days - LATE_DAYS)
            quality.save(
                connection,
                SITE.name,
                [
                    DayQuality(day=FIRST + timedelta(days=number), verdict="exclude")
                    for number in between
                ],
            )
            train_agent(
                connection,
                TrainAgentRequest(site_id=SITE.name, until=EARLY),
                objects=objects,
                now=NOW,
            )
        yield database


def evaluate(
    home: Engine, objects: FileObjects, told: list[str] | None = None, **changes: object
) -> EvaluateAgentReply:
    request = EvaluateAgentRequest.model_validate({"site_id": SITE.name, "days": DAYS} | changes)
    labels: list[str] = [] if told is None else told
    with unit_of_work(home) as connection:
        store = Store.beside(home, lambda: connection)
        return evaluate_agents(
            store,
            request,
            objects=objects,
            now=NOW,
            progress=lambda _done, _total, label: labels.append(label),
        )


@pytest.fixture(scope="module")
def told() -> list[str]:
    """What the evaluation said on its way."""
    return []


@pytest.fixture(scope="module")
def evaluated(home: Engine, objects: FileObjects, told: list[str]) -> EvaluateAgentReply:
    return evaluate(home, objects, told)


def test_every_policy_stands_beside_the_others_on_the_same_unseen_days(
    evaluated: EvaluateAgentReply,
) -> None:
    assert evaluated.days == [WEEK + timedelta(days=number) for number in range(DAYS)]
    assert list(evaluated.policies) == [
        "idle",
        "self_consumption",
        "rule",
        "mpc",
        "mpc_scenarios",
        "antares",
        "oracle",
    ]
    scored = {name: score.score for name, score in evaluated.policies.items()}
    assert (scored["idle"], scored["oracle"]) == (0.0, 1.0)
    assert all(score is not None and score <= 1.0 + 1e-9 for score in scored.values())
    assert evaluated.policies["antares"].over_mpc is not None
    assert evaluated.policies["antares"].over_self_consumption is not None


def test_no_limit_is_broken_and_all_demand_is_met(evaluated: EvaluateAgentReply) -> None:
    assert {(score.violations, score.unmet_kwh) for score in evaluated.policies.values()} == {
        (0, 0.0)
    }


def test_what_decided_knew_nothing_of_the_days(home: Engine, evaluated: EvaluateAgentReply) -> None:
    with unit_of_work(home) as connection:
        runs = [
            training_runs.load(connection, SITE.name, week.run_ids["antares"])
            for week in evaluated.weeks
        ]
    assert all(
        run.data_until <= local_midnight(week.first, ZONE)
        for run, week in zip(runs, evaluated.weeks, strict=True)
    )
    assert {week.trained_until for week in evaluated.weeks} == {UNSEEN}
    # Another one was made for the quarter: the home's own knows its first weeks alone.
    assert all(EARLY < run.data_until <= local_midnight(UNSEEN, ZONE) for run in runs)


def test_who_was_trained_for_the_quarter_stood_a_trial_beside_the_champion(
    home: Engine, evaluated: EvaluateAgentReply
) -> None:
    with unit_of_work(home) as connection:
        newer = training_runs.load(connection, SITE.name, evaluated.weeks[0].run_ids["antares"])
        champion = training_runs.load(connection, SITE.name, str(newer.parent_run_id))
    assert champion.knowledge_cutoff == EARLY
    scores = {name: newer.metrics[f"trial.{name}.score"] for name in ("new", "champion", "planner")}
    assert newer.accepted == (scores["new"] >= scores["champion"] - TOLERANCE)


@pytest.mark.usefixtures("evaluated")
def test_it_says_how_far_it_is(told: list[str]) -> None:
    assert f"forecasts for {WEEK}" in told


def test_kinds_that_were_never_trained_are_named(evaluated: EvaluateAgentReply) -> None:
    assert {"rl", "imitation"} <= set(evaluated.missing)


def test_scores_by_day_are_kept_beside_those_of_other_replays(
    home: Engine, evaluated: EvaluateAgentReply
) -> None:
    with unit_of_work(home) as connection:
        kept = scores.read_daily(connection, SITE.name, system_id=SYSTEM_ID)
    assert kept.keys() == evaluated.policies.keys()
    assert [day.day for day in kept["antares"]] == evaluated.days


@pytest.mark.parametrize(
    ("policies", "error"),
    [(["rl"], NotFoundError), (["mpc"], InvalidInputError)],
    ids=["never trained", "not learned"],
)
def test_a_policy_that_cannot_be_measured_is_refused_by_name(
    home: Engine, objects: FileObjects, policies: list[str], error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        evaluate(home, objects, policies=policies)
    assert policies[0] in str(raised.value)


def test_a_replay_takes_a_learned_policy_by_what_it_knew_before(
    home: Engine, objects: FileObjects, evaluated: EvaluateAgentReply
) -> None:
    days = {"from_day": WEEK, "to_day": WEEK}
    request = ReplayRequest(
        site_id=SITE.name,
        **days,
        policies=["idle", "antares", "oracle"],
        system_id="test_replay",
        episodes=None,
    )
    with unit_of_work(home) as connection:
        reply = replay_agents(Store.beside(home, lambda: connection), request, objects=objects)
    assert reply.policies["antares"].run_id == evaluated.weeks[0].run_ids["antares"]
    assert reply.policies["idle"].run_id is None
    with unit_of_work(home) as connection:
        kept = scores.read_daily(connection, SITE.name, system_id="test_replay")
    assert kept == {name: policy.days for name, policy in reply.policies.items()}


def test_a_replay_takes_nothing_but_the_selling_of_a_learned_policy(
    home: Engine, objects: FileObjects, evaluated: EvaluateAgentReply
) -> None:
    days = {"from_day": WEEK, "to_day": WEEK}
    request = ReplayRequest(
        site_id=SITE.name,
        **days,
        policies=["mpc", "antares_export"],
        system_id="test_selling",
        episodes=None,
    )
    with unit_of_work(home) as connection:
        reply = replay_agents(Store.beside(home, lambda: connection), request, objects=objects)
    assert reply.policies["antares_export"].run_id == evaluated.weeks[0].run_ids["antares"]
    # What feed-in earns is never worth what a kWh costs at night: neither of them sells.
    assert reply.policies["antares_export"].days == reply.policies["mpc"].days
    assert [day.corrected for day in reply.policies["antares_export"].days] == [0]


def test_days_of_a_trial_are_no_unseen_days(home: Engine, objects: FileObjects) -> None:
    """The home's own training learned until the middle of February, and a trial until the twentieth
    accepted it.
    """
    with unit_of_work(home) as connection:
        first = training_runs.list_latest(
            connection, SITE.name, version="agent_value_v1", limit=100
        )[-1]
        assert (first.knowledge_cutoff, first.data_until < EARLY) == (EARLY, True)
        with pytest.raises(NotFoundError):
            load_replay_agents(
                connection,
                SITE,
                ["antares"],
                before=first.data_until + timedelta(days=1),
                objects=objects,
            )
        assert (
            load_replay_agents(connection, SITE, ["antares"], before=EARLY, objects=objects)[
                "antares"
            ].run_id
            == first.run_id
        )


def test_a_replay_with_what_was_never_trained_by_then_names_the_command(
    home: Engine, objects: FileObjects
) -> None:
    with unit_of_work(home) as connection, pytest.raises(NotFoundError) as raised:
        load_replay_agents(
            connection,
            SITE,
            ["mpc", "antares"],
            before=local_midnight(date(2024, 2, 1), ZONE),
            objects=objects,
        )
    assert f"luna agent train --site {SITE.name} --kind value" in (raised.value.remedy or "")


@pytest.fixture
def commands(luna_on_servers: Luna, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Luna:
    """Commands whose objects are those of the home."""
    monkeypatch.setenv("LUNA_DATA_FOLDER", str(data_folder))
    return luna_on_servers


def test_the_same_again_by_the_command_trains_nothing_and_says_the_same(
    home: Engine, commands: Luna, evaluated: EvaluateAgentReply
) -> None:
    with unit_of_work(home) as connection:
        before = connection.scalar(text("SELECT count(*) FROM training_runs"))
    said = commands("agent", "evaluate", "--site", SITE.name, "--days", str(DAYS), "--json")
    assert said.code == 0, said.err
    assert EvaluateAgentReply.model_validate(said.document) == evaluated
    with unit_of_work(home) as connection:
        assert connection.scalar(text("SELECT count(*) FROM training_runs")) == before


# A short run evaluates by the command once, above.
@pytest.mark.long
@pytest.mark.usefixtures("evaluated")
def test_the_command_shows_what_was_measured(commands: Luna) -> None:
    shown = commands("agent", "evaluate", "--site", SITE.name, "--days", str(DAYS)).out
    assert "No limit was broken, all demand was met." in shown
    assert "Never trained" in shown


def test_the_replay_command_takes_learned_policies_by_any_of_their_names(
    commands: Luna, evaluated: EvaluateAgentReply
) -> None:
    window = (
        "--site",
        SITE.name,
        "--from",
        str(WEEK),
        "--to",
        str(WEEK),
        "--episodes",
        "none",
        "--json",
    )
    replayed = commands("replay", *window, "--policies", "idle,Antares,oracle")
    assert replayed.code == 0, replayed.err
    assert (
        replayed.document["policies"]["antares"]["run_id"] == evaluated.weeks[0].run_ids["antares"]
    )
    unknown = commands("replay", *window, "--policies", "idle,rl")
    assert unknown.code == 2
    assert "luna agent train" in unknown.problem["remedy"]


@pytest.mark.usefixtures("home")
def test_the_train_command_says_what_came_of_it(commands: Luna) -> None:
    refused = commands("agent", "train", "--site", SITE.name, "--until", "2024-02-01", "--json")
    assert (refused.code, refused.problem["reason"]) == (2, "too-few-days-to-learn")
    unknown = commands("agent", "train", "--site", SITE.name, "--kind", "wizard", "--json")
    assert (unknown.code, unknown.problem["field"]) == (2, "--kind")


@pytest.mark.usefixtures("evaluated")
def test_the_status_command_says_what_has_to_happen_next(commands: Luna) -> None:
    said = commands("agent", "status", "--site", SITE.name, "--json")
    assert (said.code, said.document["policy"], said.document["mode"]) == (
        0,
        "antares",
        "shadow",
    ), said.err
    assert f"Next: {said.document['next_step']}" in commands(
        "agent", "status", "--site", SITE.name
    ).out.replace("\n", " ")
