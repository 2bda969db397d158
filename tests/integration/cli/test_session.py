"""`luna session`: stays of a site's vehicles, and plans that know them."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import Engine, text

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline, local_instant, parse_day
from luna.platform.database import forecasts, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from tests.support.command_line.call import Luna
from tests.support.household.measurements import describe_site
from tests.support.words.wording import wording

CAR = {"name": "car", "capacity_kwh": 40, "charge_efficiency": 1.0}
SITE = ("--site", "driven")
DAY = "2099-07-01"


@pytest.fixture
def home(luna_on_servers: Luna, database: Engine) -> Iterator[Luna]:
    """Commands beside a stored site in Berlin with a car, and a forecast from noon of ``DAY``
    on.
    """
    site = describe_site(name="driven", vehicles=[CAR])
    noon = local_instant(parse_day(DAY, field="day"), "12:00", ZoneInfo(site.timezone))
    load = Quantiles.exact(np.full(192, 0.1))
    sun = Quantiles.exact(np.zeros(192))
    with unit_of_work(database) as connection:
        sites.save(connection, site)
        forecasts.upsert(
            connection,
            site.name,
            [Forecast(Timeline(noon, SLOT, 192), noon, DEFAULT_VERSION, load, sun)],
        )
    yield luna_on_servers
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM sites WHERE name = 'driven'"))


def test_a_session_is_stored_listed_planned_and_taken_back(home: Luna) -> None:
    times = ("--from", f"{DAY} 18:00", "--to", "07:00")
    added = home("session", "add", *SITE, *times, "--target", "80%", "--soc", "0.4", "--json")
    assert added.code == 0, added.err
    # Berlin is two hours ahead of UTC in July.
    assert (added.document["from"], added.document["to"], added.document["target_soc"]) == (
        "2099-07-01T16:00:00Z",
        "2099-07-02T05:00:00Z",
        0.8,
    )
    shown = home("session", "list", *SITE).out
    assert [
        piece
        for piece in ("2099-07-01", "18:00 CEST", "2099-07-02", "07:00 CEST", "40%", "80%")
        if piece not in shown
    ] == []
    planned = home("plan", *SITE, "--start", f"{DAY} 12:00", "--json")
    assert planned.code == 0, planned.err
    leaves = next(
        slot for slot in planned.document["slots"] if slot["start"] == "2099-07-02T04:45:00Z"
    )
    assert leaves["vehicles"]["car"]["soc_end"] >= 0.8 - 1e-6
    number = str(added.document["session_id"])
    assert home("session", "remove", *SITE, "--session", number).code == 0
    assert home("session", "list", *SITE, "--json").document == {"sessions": [], "cursor": None}
    assert [
        each["session_id"]
        for each in home("session", "list", *SITE, "--history", "--json").document["sessions"]
    ] == [int(number)]
    assert home("session", "remove", *SITE, "--session", "4711").code == 2


def test_a_session_of_one_plan_goes_by_the_sites_clock(home: Luna) -> None:
    said = home(
        "plan",
        *SITE,
        "--start",
        f"{DAY} 12:00",
        "--session",
        "car=..18:00,target=0.5,soc=0.4",
        "--json",
    )
    assert said.code == 0, said.err
    leaves = next(
        slot for slot in said.document["slots"] if slot["start"] == "2099-07-01T15:45:00Z"
    )
    assert leaves["vehicles"]["car"]["soc_end"] == pytest.approx(0.5)


def test_a_plan_without_a_session_names_the_car(home: Luna) -> None:
    shown = " ".join(home("plan", *SITE, "--start", f"{DAY} 12:00").out.split())
    assert wording("device_vehicle", "note_no_session", vehicles="car") in shown


def test_how_full_a_car_comes_need_not_be_said_again_where_a_session_is_stored(home: Luna) -> None:
    assert (
        home(
            "session", "add", *SITE, "--from", f"{DAY} 18:00", "--to", "07:00", "--soc", "0.4"
        ).code
        == 0
    )
    said = home(
        "plan", *SITE, "--start", f"{DAY} 12:00", "--session", "car=..17:00,target=0.45", "--json"
    )
    assert said.code == 0, said.err


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--to", "noon"), "--to"),
        (("--from", "2024-01-01", "--to", "2024-01-02", "--soc", "0.4"), "to"),
        (("--to", "07:00", "--soc", "40"), "--session soc"),
        (("--to", "07:00"), "arrival_soc"),
        (("--to", "07:00", "--soc", "0.4", "--vehicle", "bus"), "vehicle"),
    ],
    ids=["no time", "over", "percent without sign", "nobody knows how full", "unknown vehicle"],
)
def test_what_cannot_be_had_is_refused(home: Luna, options: tuple[str, ...], field: str) -> None:
    said = home("session", "add", *SITE, *options)
    assert (said.code, said.problem["field"]) == (2, field)
