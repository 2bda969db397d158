"""The bench that lives a fortnight, for hours: the same code hears, plans and tells.

The home's truth judges it.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bench.fortnight import FIRST_DAY, live_fortnight
from bench.fortnight.claims import HomeTruth, SentenceJudge
from bench.fortnight.incidents import Incident, list_product_incidents
from bench.fortnight.ways import SlotLedger
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_battery import BatteryCharge
from luna.energy.timeline import SLOT, Timeline, local_midnight
from luna.platform.database import control, engine
from luna.platform.database.engine import unit_of_work
from luna.platform.database.migrate import upgrade
from luna.simulated_home.house import BATTERY_MODEL, HomeState
from luna.simulated_home.site import SITE_NAME, ZONE
from tests.support.database.databases import own_database
from tests.support.database.server_folders import server_folder
from tests.support.suite.depth import LONG

MINUTE = timedelta(minutes=1)
# How long an incident lasts; a quarter-hour before, between and two after them are undisturbed.
PART = 2 * SLOT if LONG else SLOT
LIVED = 4 * SLOT + 2 * PART
INCIDENTS = (Incident("battery_deaf", SLOT, PART), Incident("luna_stopped", 2 * SLOT + PART, PART))
# Eight looks in a quarter-hour; every forty-third is asked at.
DIRECT = 11 * SLOT
CHARGER = 9 * SLOT
# Luna reads a command back each minute, and then sends it again.
AGAIN = timedelta(minutes=3)


@pytest.fixture
def empty(database_server: str) -> Iterator[Engine]:
    """A database in which there is no other site: all that is stored would be planned."""
    with own_database(database_server, "luna_fortnight") as address:
        upgrade(address)
        database = engine.create(address)
        yield database
        database.dispose()


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder() as parent:
        yield parent


def test_hours_of_a_home_with_incidents_lose_no_reading_and_say_nothing_false(
    empty: Engine, folder: Path
) -> None:
    told: list[str] = []
    figures = live_fortnight(folder, empty, LIVED, incidents=INCIDENTS, say=told.append)
    assert (figures["false"], figures["lost"], figures["without_plan"]) == ([], [], [])
    assert (
        figures["sentences_false"],
        figures["readings_lost"],
        figures["minutes_without_plan"],
    ) == (0, 0, 0)
    assert figures["sentences"] > 0
    # At each of five looks in the quarter-hours in which Luna lived, energies of the meter, the
    # roof, the battery and how full that is.
    assert figures["readings"] >= 6 * 5 * (figures["minutes"] - figures["minutes_stopped"]) // 15
    assert (figures["minutes"], figures["minutes_stopped"]) == (LIVED // MINUTE, PART // MINUTE)
    for name, energy in figures["energies"].items():
        # What flowed while Luna was stopped stands in the quarter-hours of that time.
        assert energy["stored_kwh"] == pytest.approx(
            energy["true_kwh"], abs=0.01 + 0.01 * energy["true_kwh"]
        ), name
        assert energy["unknown_slots"] == 0, name
    assert set(figures["cost"]) == {"self", "luna", "foresight"}
    assert figures["cost"]["foresight"] <= figures["cost"]["self"] + 1e-6
    assert any("sentences false" in line for line in told)
    periods = figures["periods"]
    assert set(periods) == {"undisturbed", "battery_deaf", "luna_stopped"}
    assert periods["luna_stopped"]["minutes_stopped"] == PART // MINUTE
    # Another home than the one that was lived: what was true there is false of it.
    assert {
        "the battery is at",
        "of prices",
        "load",
        "pv",
        "import",
        "export",
        "charge",
        "discharge",
    } <= set(_judge_elsewhere(empty))


# In a short run a charger is spoken to, with faults; what an inverter does is in
# tests/system/executor/test_device_drills.py.
@pytest.mark.long
def test_an_inverter_that_luna_speaks_to_itself_does_what_is_said_of_it(
    empty: Engine, folder: Path
) -> None:
    product = load_profile("sunspec_12x", folder)
    figures = live_fortnight(
        folder, empty, DIRECT, incidents=(), product=product, say=lambda _: None
    )
    assert (figures["false"], figures["lost"], figures["without_plan"]) == ([], [], [])
    assert figures["sentences"] > 0
    with unit_of_work(empty) as connection:
        decision = control.load(connection, SITE_NAME).decision
    assert decision is not None
    assert decision.confirmed_at is not None


def test_a_charger_with_faults_is_commanded_as_said_and_soon_again(
    empty: Engine, folder: Path
) -> None:
    product = load_profile("go_e_charger", folder)
    figures = live_fortnight(
        folder,
        empty,
        CHARGER,
        incidents=list_product_incidents(CHARGER),
        product=product,
        say=lambda _: None,
    )
    device = figures["device"]
    assert (figures["false"], device["false"], figures["lost"]) == ([], [], [])
    assert min(figures["sentences"], device["sentences"]) > 0
    assert device["confirmed"] > 0
    assert device["confirmed"] + device["unconfirmed"] == device["commands"]
    # It forgot that it was to stop, and charged until that was sent again; all of it was recorded.
    charged = figures["energies"]["vehicle_kwh"]
    assert 0.1 < charged["true_kwh"] < 3
    assert charged["stored_kwh"] == pytest.approx(charged["true_kwh"], abs=0.01)
    lost = {"product_restarts", "product_forgets", "second_master"}
    assert lost < set(device["without_control_s"])
    assert max(device["without_control_s"].values()) <= AGAIN.total_seconds()


def _judge_elsewhere(database: Engine) -> list[str]:
    """Begin of each sentence that is false of a home with a full battery, in which 9 kW flow each
    way and the market has published nothing.
    """
    timeline = Timeline(local_midnight(FIRST_DAY, ZONE), SLOT, LIVED // SLOT)
    state = HomeState(timeline.end.timestamp(), BatteryCharge(BATTERY_MODEL.capacity_kwh))
    ledger = SlotLedger(state)
    for name in ledger.slots:
        ledger.slots[name] = [9.0 / 4] * timeline.count
    now = timeline.end + timedelta(seconds=1)
    truth = HomeTruth(state, timeline, ledger, {}, timeline.start, prices_missing=True)
    with unit_of_work(database) as connection:
        found = SentenceJudge(timedelta(hours=1)).ask(connection, truth, now)
    begins = (
        "the battery is at",
        "of prices",
        "load",
        "pv",
        "import",
        "export",
        "charge",
        "discharge",
    )
    return [
        begin
        for each in found
        if each is not None
        for begin in begins
        if each.said.startswith(begin)
    ]
