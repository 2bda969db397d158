"""Training episodes: kept on the disk first, then in the database."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT
from luna.platform.database import engine, episodes
from luna.platform.database.engine import unit_of_work
from luna.platform.database.episodes import EpisodeStep
from luna.platform.spool.row_kind import EpisodeKind
from luna.platform.spool.spool import open_mirror
from tests.support.database.site import stored_site
from tests.support.suite.tables import each_row

pytestmark = pytest.mark.every_database

START = datetime(2024, 1, 1, tzinfo=UTC)
SOON = timedelta(seconds=20)
TURN = timedelta(milliseconds=20)
AWAY = "postgresql://luna@127.0.0.1:1/luna"


@pytest.fixture
def home(database: Engine) -> Iterator[Engine]:
    with stored_site(database):
        yield database


def step(
    slot: int, *, system_id: str = "prod", reward: float | None = 0.5, **state: Any
) -> EpisodeStep:
    return EpisodeStep(
        system_id, START + slot * SLOT, {"soc": 0.4} | state, {"mode": "hold"}, reward
    )


def stored(pool: Engine, system_id: str = "prod") -> list[EpisodeStep]:
    with unit_of_work(pool) as connection:
        return episodes.read(
            connection, "home", system_id, first=START, end=START + timedelta(days=1)
        )


def test_episodes_kept_while_the_database_is_away_arrive_once_each_by_their_system(
    home: Engine, tmp_path: Path
) -> None:
    nowhere = engine.create(AWAY)
    with open_mirror(tmp_path, nowhere, EpisodeKind(), turn=TURN) as mirror:
        mirror.keep(EpisodeKind(), "home", [step(slot) for slot in range(96)]).result()
        mirror.keep(
            EpisodeKind(),
            "home",
            [step(slot, system_id="simulation", soc=0.9) for slot in range(3)],
        ).result()
        assert mirror.rows == 99
    with open_mirror(tmp_path, home, EpisodeKind(), turn=TURN) as mirror:
        assert mirror.flush(SOON)
    assert stored(home) == [step(slot) for slot in range(96)]
    assert stored(home, "simulation") == [
        step(slot, system_id="simulation", soc=0.9) for slot in range(3)
    ]


def test_a_reward_that_becomes_known_later_completes_its_step(home: Engine, tmp_path: Path) -> None:
    with open_mirror(tmp_path, home, EpisodeKind(), turn=TURN) as mirror:
        mirror.keep(EpisodeKind(), "home", [step(0, reward=math.nan), step(0, reward=0.7)]).result()
        mirror.keep(
            EpisodeKind(), "home", [step(1, reward=0.2), step(1, reward=None, soc=0.8)]
        ).result()
        assert mirror.flush(SOON)
    assert stored(home) == [step(0, reward=0.7), step(1, reward=0.2, soc=0.8)]


def test_storing_episodes_again_changes_no_row(home: Engine) -> None:
    steps = [step(slot) for slot in range(3)]
    versions = text("SELECT xmin::text, slot_start FROM antares_learning ORDER BY 2")
    with unit_of_work(home) as connection:
        episodes.upsert(connection, "home", steps)
    with unit_of_work(home) as connection:
        before = connection.execute(versions).all()
        episodes.upsert(connection, "home", steps)
    with unit_of_work(home) as connection:
        assert connection.execute(versions).all() == before


@each_row(
    ("wrong", "field"),
    [
        pytest.param(step(0, system_id=" "), "system_id", id="nobody's"),
        pytest.param(step(0, soc=math.nan), "state", id="NaN, which JSON does not know"),
        pytest.param(step(0, note="a\0b"), "state", id="a text that PostgreSQL refuses"),
        pytest.param(step(0, note="\ud800"), "state", id="no text"),
        pytest.param(step(0, at=START), "state", id="no plain value"),
        pytest.param(
            EpisodeStep("prod", START.replace(tzinfo=None), {}, {}, 0.0),
            "slot_start",
            id="no offset",
        ),
    ],
)
def test_a_step_that_the_database_would_refuse_is_refused_at_once(
    wrong: EpisodeStep, field: str
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        EpisodeKind().encode(wrong)
    assert refusal.value.field == field
