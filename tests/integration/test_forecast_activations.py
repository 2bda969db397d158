"""Which version drives the planner, as the database keeps it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from luna.energy.errors import ConflictError, NotFoundError
from luna.platform.database import forecast_activations, sites, training_runs
from luna.platform.database.forecast_activations import DEFAULT_VERSION, Activation, ActiveVersion
from luna.platform.database.training_runs import TrainingRun
from tests.support.household.measurements import describe_site

VERSION = "aurora_v1.0"
LEARNED_UNTIL = datetime(2024, 3, 1, tzinfo=UTC)
pytestmark = pytest.mark.every_database


@pytest.fixture
def home(connection: Connection) -> Connection:
    """A site whose model was trained twice, a week apart."""
    sites.save(connection, describe_site())
    for number in (1, 2):
        until = LEARNED_UNTIL + timedelta(days=7 * number)
        training_runs.save(
            connection,
            "home",
            TrainingRun(f"run_{number}", VERSION, LEARNED_UNTIL, until, "0", 0, 1.0),
        )
    return connection


def activate(connection: Connection, run_id: str, *, decided_by: str = "hand") -> bool:
    return forecast_activations.activate(
        connection, "home", Activation(VERSION, "said so", decided_by, run_id, {"days": 14})
    )  # type: ignore[arg-type]


def find_run(connection: Connection, *, weeks: int) -> str:
    run = forecast_activations.find_run(
        connection, "home", version=VERSION, before=LEARNED_UNTIL + timedelta(days=7 * weeks)
    )
    return "none" if run is None else run.run_id


def test_the_baseline_drives_a_site_about_which_nothing_was_decided(home: Connection) -> None:
    assert forecast_activations.find_active(home, describe_site()) == ActiveVersion(DEFAULT_VERSION)


def test_the_last_decision_holds_and_all_are_kept(home: Connection) -> None:
    activate(home, "run_1")
    activate(home, "run_2", decided_by="training")
    active = forecast_activations.find_active(home, describe_site())
    assert (active.forecast_version, active.pinned, active.run_id) == (VERSION, False, "run_2")
    assert [decision.run_id for decision in forecast_activations.history(home, "home")] == [
        "run_2",
        "run_1",
    ]
    assert active.last is not None
    assert (active.last.decided_by, active.last.evidence) == ("training", {"days": 14})


def test_the_same_decision_twice_is_kept_once(home: Connection) -> None:
    assert activate(home, "run_1")
    assert not activate(home, "run_1")
    assert len(forecast_activations.history(home, "home")) == 1


def test_what_the_owner_pinned_stands_above_what_was_decided(home: Connection) -> None:
    activate(home, "run_1")
    pinned = describe_site(forecasting={"active_forecast_version": "seasonal_naive"})
    active = forecast_activations.find_active(home, pinned)
    assert (active.forecast_version, active.pinned, active.run_id) == ("seasonal_naive", True, None)


def test_the_activated_training_speaks_though_there_is_a_later_one(home: Connection) -> None:
    assert find_run(home, weeks=3) == "run_2"
    activate(home, "run_1")
    assert find_run(home, weeks=3) == "run_1"


def test_a_training_that_knows_the_future_does_not_speak(home: Connection) -> None:
    activate(home, "run_2")
    assert [find_run(home, weeks=weeks) for weeks in (0, 1, 2)] == ["none", "run_1", "run_2"]


def test_a_training_of_no_site_is_not_found(home: Connection) -> None:
    with pytest.raises(NotFoundError, match="luna forecast status"):
        training_runs.load(home, "home", "run_3")


def test_each_rollback_takes_back_one_decision() -> None:
    first = Activation(VERSION, "", "rule", "run_1")
    second = Activation(VERSION, "", "training", "run_2")
    back = Activation(VERSION, "", "rollback", "run_1")
    assert forecast_activations.find_previous([second, first]) == first
    assert forecast_activations.find_previous([back, second, first]) is None
    assert forecast_activations.find_previous([second, back, second, first]) == first


def test_where_everything_was_taken_back_there_is_nothing_to_go_back_to() -> None:
    with pytest.raises(ConflictError) as refused:
        forecast_activations.find_previous(
            [Activation(DEFAULT_VERSION, "", "rollback"), Activation(VERSION, "", "rule", "run_1")]
        )
    assert refused.value.reason == "nothing-to-go-back-to"


def test_trainings_of_all_sites_are_listed_by_what_they_learned_last(home: Connection) -> None:
    sites.save(home, describe_site(name="newer"))
    newer = TrainingRun(
        "run_3", VERSION, LEARNED_UNTIL, datetime(2124, 1, 1, tzinfo=UTC), "0", 0, 1.0
    )
    training_runs.save(home, "newer", newer)
    found = training_runs.list_newest(home, limit=1)
    assert found == [("newer", newer)]
    listed = [
        name for name, _ in training_runs.list_newest(home, limit=1000) if name in ("home", "newer")
    ]
    assert listed == ["newer", "home", "home"]


def test_a_site_that_is_not_there_is_told_a_few_that_are(connection: Connection) -> None:
    for number in range(25):
        sites.save(connection, describe_site(name=f"known {number:02d}"))
    with pytest.raises(NotFoundError) as refused:
        sites.load(connection, "nowhere")
    assert str(refused.value).count("known ") <= sites.MOST_NAMED
    assert " more." in str(refused.value)
