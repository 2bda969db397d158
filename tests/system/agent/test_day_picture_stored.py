"""A recorded day of a stored site, drawn: from a replay of its week, whose figures are those of any
replay of that week.
"""

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.contracts.agent import DayPictureReply, DayPictureRequest
from luna.contracts.data import DayQuality
from luna.contracts.replay import ReplayRequest
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.platform.database import quality
from luna.platform.database.engine import unit_of_work
from luna.platform.objects import FileObjects
from services.agent.evaluation.picture import draw_stored_day
from services.planner.service.replay import Store, replay_site
from tests.support.command_line.call import Luna
from tests.support.forecasts.evaluated_home import LAST, SITE, UNSEEN, evaluated_home
from tests.support.words.wording import wording

WEDNESDAY = UNSEEN + timedelta(days=2)


@pytest.fixture(scope="module")
def home(database: Engine) -> Iterator[Engine]:
    with evaluated_home(database):
        yield database


def draw(
    home: Engine,
    folder: Path,
    *,
    day: date = WEDNESDAY,
    policies: tuple[str, ...] = ("mpc", "self_consumption", "oracle"),
) -> DayPictureReply:
    with unit_of_work(home) as connection:
        request = DayPictureRequest(site_id=SITE.name, day=day, policies=list(policies))
        return draw_stored_day(
            Store.beside(home, lambda: connection), request, objects=FileObjects(folder)
        )


def test_a_pictures_figures_are_those_of_a_replay_of_the_week(home: Engine, tmp_path: Path) -> None:
    picture = draw(home, tmp_path)
    assert (picture.from_day, picture.to_day) == (UNSEEN, UNSEEN + timedelta(days=6))
    assert picture.svg.startswith("<svg ")
    with unit_of_work(home) as connection:
        week = {"from_day": UNSEEN, "to_day": UNSEEN + timedelta(days=6)}
        replayed = replay_site(
            connection,
            ReplayRequest(
                site_id=SITE.name,
                **week,
                policies=["mpc", "self_consumption", "oracle"],
                system_id="test",
            ),
        )
    for name, trace in picture.traces.items():
        lived = next(each for each in replayed.policies[name].days if each.day == WEDNESDAY)
        assert (trace.cost, trace.value_gain) == (lived.cost, lived.value_gain)
        assert len(trace.slots) == 96


def test_a_day_of_a_week_that_is_not_over_is_drawn_out_of_the_days_there_are(
    home: Engine, tmp_path: Path
) -> None:
    with unit_of_work(home) as connection:
        quality.save(
            connection, SITE.name, [DayQuality(day=LAST - timedelta(days=5), verdict="exclude")]
        )
    picture = draw(home, tmp_path, day=LAST - timedelta(days=3), policies=("self_consumption",))
    assert (picture.from_day, picture.to_day) == (LAST - timedelta(days=4), LAST)


@pytest.mark.parametrize(
    ("day", "message"),
    [
        (LAST + timedelta(days=1), "no whole day was recorded|it was not recorded whole"),
        (LAST - timedelta(days=5), "exclude"),
    ],
    ids=["not recorded", "excluded"],
)
def test_a_day_that_cannot_be_lived_again_is_not_drawn(
    home: Engine, tmp_path: Path, day: date, message: str
) -> None:
    with unit_of_work(home) as connection:
        quality.save(
            connection, SITE.name, [DayQuality(day=LAST - timedelta(days=5), verdict="exclude")]
        )
    with pytest.raises((InvalidInputError, NotFoundError), match=message):
        draw(home, tmp_path, day=day)


def test_the_command_writes_picture_and_slots(
    home: Engine, luna_on_servers: Luna, tmp_path: Path
) -> None:
    picture = tmp_path / "day.svg"
    slots = tmp_path / "day.csv"
    named = ("--site", SITE.name, "--day", str(WEDNESDAY), "--policies", "mpc,oracle")
    said = luna_on_servers(
        "agent", "plot", *named, "--out", str(picture), "--slots", str(slots), "--json"
    )
    assert said.code == 0, said.err
    assert picture.read_text().startswith("<svg ")
    rows = list(csv.DictReader(StringIO(slots.read_text())))
    assert len(rows) == 2 * 96
    assert said.document["traces"]["mpc"]["slots"][0]["start"] == rows[0]["start"]
    shown = luna_on_servers("agent", "plot", *named, "--policies", "oracle", "--out", str(picture))
    assert wording("modes", "policy_oracle") in shown.out


def test_slots_are_written_as_rows_or_json_and_nothing_else(
    home: Engine, luna_on_servers: Luna, tmp_path: Path
) -> None:
    named = (
        "--site",
        SITE.name,
        "--day",
        str(WEDNESDAY),
        "--policies",
        "self_consumption",
        "--out",
        str(tmp_path / "day.svg"),
    )
    assert (
        luna_on_servers(
            "agent", "plot", *named, "--slots", str(tmp_path / "day.json"), "--json"
        ).code
        == 0
    )
    said = luna_on_servers("agent", "plot", *named, "--slots", str(tmp_path / "day.xlsx"), "--json")
    assert (said.code, said.problem["field"]) == (2, "--slots")
