"""The executor against inverters that answer late, lose and refuse, on a real database.

Its clock is the test's.
"""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert

from luna.contracts.control import BatterySetpoint, Override
from luna.contracts.plan import PlanRequest
from luna.drivers.control.device import Device, DryRun
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.energy.observations import Observations
from luna.energy.policy import HANDED_BACK_WITHIN
from luna.energy.site.control import Control
from luna.energy.timeline import SLOT, Timeline
from luna.house import findings
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database import control, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.sites import site_versions
from services.executor.delivery import RESEND, VERIFY
from services.planner.milp.solver import Solver
from services.planner.service.plans import plan_and_store
from tests.support.control.executor import BATTERY, START, Home
from tests.support.control.inverters import MODE, POWER, SOC, TOKEN, Inverter, describe
from tests.support.planning.plans import describe_plan, store_plan

CHARGE = BatterySetpoint(mode="charge", power_kw=3, target_soc=0.8)
EXPORT = BatterySetpoint(mode="export", power_kw=2, target_soc=0.2)


def test_a_fresh_site_is_sent_nothing(home: Home, inverter: Inverter) -> None:
    home.plan(CHARGE)
    home.override(Override(mode="charge", until=START + SLOT))
    home.turn()
    assert (inverter.calls, home.log) == ([], [])


def test_the_slot_that_is_now_is_sent_and_confirmed(armed: Home, inverter: Inverter) -> None:
    plan_id = armed.plan(CHARGE, EXPORT)
    assert armed.turn() is False
    assert inverter.states == {SOC: "50", MODE: "Force Charge", POWER: "3000"}
    [entry] = armed.log
    assert (entry.slot_start, entry.decided_by, entry.plan_id, entry.reason) == (
        START,
        "planner",
        plan_id,
        "planned",
    )
    assert entry.requested["battery"]["target_soc"] == 0.8
    assert entry.confirmed == {MODE: "Force Charge", POWER: "3000"}


def test_the_next_slot_is_followed_at_its_start(armed: Home, inverter: Inverter) -> None:
    armed.plan(CHARGE, EXPORT)
    armed.turn()
    armed.turn(SLOT)
    assert inverter.modes == ["Force Charge", "Force Discharge"]


def test_a_slot_that_is_followed_is_not_sent_again(armed: Home, inverter: Inverter) -> None:
    armed.plan(CHARGE)
    armed.turn()
    armed.turn(timedelta(minutes=5))
    assert inverter.modes == ["Force Charge"]


def test_a_new_plan_waits_for_the_next_slot(armed: Home, inverter: Inverter) -> None:
    armed.plan(CHARGE, CHARGE)
    armed.turn()
    armed.plan(EXPORT, EXPORT, at=START + timedelta(minutes=1))
    armed.turn(timedelta(minutes=2))
    armed.turn(SLOT)
    assert inverter.modes == ["Force Charge", "Force Discharge"]


def test_a_limit_that_is_tightened_counts_at_once_and_one_that_is_widened_with_the_next_slot(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(CHARGE, CHARGE)
    armed.turn()
    powers: list[str] = []
    for limit_kw, after in ((1, timedelta(seconds=5)), (5, timedelta(seconds=5)), (5, SLOT)):
        armed.parts["batteries"] = [BATTERY | {"charge_limit_kw": limit_kw}]
        armed.configure(describe())
        assert armed.turn(after) is False
        powers.append(inverter.states[POWER])
    assert powers == ["1000", "1000", "3000"]
    assert len(inverter.modes) == 3


def test_an_unknown_state_of_charge_forbids_exchange(armed: Home, inverter: Inverter) -> None:
    inverter.states[SOC] = "unavailable"
    armed.plan(CHARGE)
    armed.turn()
    assert inverter.modes == ["Standby"]


def test_a_plan_that_is_too_old_leaves_the_inverter_alone_and_another_is_asked_for(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(*[CHARGE] * 96, at=START - timedelta(hours=3, minutes=1))
    armed.turn()
    assert (inverter.modes, armed.asked) == (["Self Use"], [armed.name])
    assert armed.outcomes == [("plan_too_old", "self_consumption", True)]


def test_an_inverter_of_an_unreadable_site_is_let_go_until_the_site_is_readable(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(*[EXPORT] * 8)
    armed.turn()
    with unit_of_work(armed.database) as connection:
        key = sites.key_of(connection, armed.name)
        connection.execute(
            insert(site_versions).values(
                site_key=key,
                version=2,
                configuration={"name": armed.name, "of_a_later_release": True},
            )
        )
    armed.turn(SLOT)
    assert (inverter.modes, armed.asked) == (["Force Discharge", "Self Use"], [])
    assert armed.outcomes[-1] == ("site_unreadable", "self_consumption", True)
    armed.configure(describe())
    armed.turn(SLOT)
    assert inverter.modes[-1] == "Force Discharge"


def test_a_plan_that_ages_is_followed_and_replaced(armed: Home, inverter: Inverter) -> None:
    armed.plan(*[CHARGE] * 96, at=START - timedelta(hours=1))
    armed.turn()
    assert (inverter.modes, armed.asked) == (["Force Charge"], [armed.name])


def test_a_battery_fuller_than_planned_asks_for_a_plan(armed: Home) -> None:
    armed.plan(CHARGE, CHARGE, soc=0.3, at=START - SLOT)
    armed.turn()
    assert armed.asked == [armed.name]


def test_a_command_that_is_lost_is_sent_again(armed: Home, inverter: Inverter) -> None:
    armed.plan(CHARGE)
    inverter.faults.extend(["", "lose"])
    assert armed.turn() is True
    assert armed.turn(timedelta(seconds=1)) is True
    assert inverter.modes == ["Force Charge"]
    assert armed.turn(RESEND.first) is False
    assert (inverter.modes, armed.outcomes) == (["Force Charge"] * 2, [("planned", "charge", True)])


def test_an_inverter_that_says_late_what_holds_is_not_told_twice(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(BatterySetpoint(mode="hold"))
    inverter.faults.append("lose")
    assert armed.turn() is True
    inverter.states[MODE] = "standby"
    assert armed.turn(timedelta(seconds=20)) is False
    assert inverter.modes == ["Standby"]


@pytest.mark.parametrize("fault", ["refuse", "hang_up"])
def test_what_is_never_acknowledged_is_taken_back(
    armed: Home, inverter: Inverter, fault: str
) -> None:
    armed.plan(CHARGE)
    inverter.faults.extend([fault] * 3)
    for _ in range(4):
        armed.turn(RESEND.first)
    assert armed.turn() is False
    assert inverter.modes == ["Self Use"]
    assert armed.outcomes == [
        ("planned", "charge", False),
        ("not_acknowledged", "self_consumption", True),
    ]
    assert armed.asked == [armed.name]


def test_a_battery_that_does_not_answer_is_silent_until_it_confirms_a_command(
    armed: Home, inverter: Inverter
) -> None:
    def silent() -> list[datetime]:
        with unit_of_work(armed.database) as connection:
            states = [control.load(connection, armed.name)]
            found = findings.find(
                connection,
                armed.site(None),
                plan=None,
                states=states,
                plan_max_age=SLOT,
                now=armed.clock.now(),
            )
        return [each.figures["at"] for each in found if each.code == "device_silent"]

    armed.plan(CHARGE, CHARGE)
    inverter.states[MODE] = "Off"
    inverter.faults.extend(["lose"] * 100)
    armed.turn()
    assert silent() == []
    for _ in range(8):
        armed.turn(RESEND.first)
    assert silent() == [START]
    armed.clock.instant = START + SLOT
    assert armed.turn() is True
    # Tried anew, and nothing heard of it yet.
    assert silent() == [START]
    inverter.faults.clear()
    armed.turn(RESEND.first)
    assert silent() == []


def test_an_inverter_that_never_follows_is_left_until_the_next_slot(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(CHARGE, CHARGE)
    inverter.states[MODE] = "Off"
    inverter.faults.extend(["lose"] * 100)
    for _ in range(8):
        armed.turn(RESEND.first)
    told = len(inverter.calls)
    assert armed.turn(RESEND.first) is False
    assert len(inverter.calls) == told
    assert [confirmed for _, _, confirmed in armed.outcomes] == [False, False]
    inverter.faults.clear()
    assert armed.turn(SLOT) is False
    assert inverter.states[MODE] == "Force Charge"


def test_one_who_turns_the_inverter_by_hand_is_overruled_and_planned_around(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(CHARGE)
    armed.turn()
    inverter.states[MODE] = "Self Use"
    assert armed.turn(VERIFY) is True
    assert armed.turn(timedelta(seconds=1)) is False
    assert (inverter.states[MODE], armed.asked) == ("Force Charge", [armed.name])


def test_a_home_assistant_that_is_starting_changes_nothing(armed: Home, inverter: Inverter) -> None:
    armed.plan(CHARGE)
    armed.turn()
    inverter.states.update({MODE: "unavailable", POWER: "unavailable"})
    assert armed.turn(VERIFY) is False
    assert inverter.modes == ["Force Charge"]


def test_an_executor_that_dies_before_the_answer_sends_the_same_again(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(CHARGE, CHARGE)
    inverter.faults.extend(["", "hang_up"])
    armed.turn()
    armed.start()
    armed.plan(EXPORT, EXPORT, at=START + timedelta(seconds=1))
    inverter.states[SOC] = "20"
    assert armed.turn(RESEND.first) is False
    assert inverter.modes == ["Force Charge"] * 2


def test_of_two_executors_one_decides(armed: Home, inverter: Inverter, database: Engine) -> None:
    armed.plan(CHARGE, EXPORT)
    with unit_of_work(database) as connection:
        before = control.load(connection, armed.name)
    armed.turn()
    with unit_of_work(database) as connection:
        after = control.load(connection, armed.name)
        assert after.decision is not None
        assert control.decide(connection, before, after.decision) is False


def test_an_owner_decides_at_once_survives_a_restart_and_expires(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(*[CHARGE] * 4)
    armed.turn()
    armed.override(
        Override(mode="export", power_kw=99, until=START + SLOT + timedelta(minutes=5), by="anna")
    )
    armed.turn(timedelta(minutes=1))
    assert (inverter.states[MODE], inverter.states[POWER]) == ("Force Discharge", "5000")
    armed.start()
    armed.turn(SLOT)
    armed.turn(timedelta(minutes=4))
    assert inverter.modes == ["Force Charge", "Force Discharge", "Force Discharge", "Force Charge"]
    assert [entry.decided_by for entry in armed.log] == ["planner", "owner", "owner", "planner"]
    assert [entry.asked_by for entry in armed.log] == [None, "anna", "anna", None]


def test_disarming_hands_the_inverter_back_once(armed: Home, inverter: Inverter) -> None:
    armed.plan(*[CHARGE] * 4)
    armed.turn()
    armed.disarm()
    armed.turn(timedelta(minutes=1))
    armed.turn(SLOT)
    assert inverter.modes == ["Force Charge", "Self Use"]
    assert armed.outcomes[-1] == ("disarmed", "self_consumption", True)


def test_an_inverter_that_was_away_while_its_site_was_disarmed_is_handed_back_once_it_answers(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(CHARGE)
    armed.turn()
    armed.disarm()
    inverter.faults.extend(["refuse"] * 3)
    for _ in range(5):
        armed.turn(RESEND.first)
    assert (inverter.states[MODE], armed.outcomes[-1]) == (
        "Force Charge",
        ("disarmed", "self_consumption", False),
    )
    armed.turn(SLOT)
    assert (inverter.states[MODE], armed.outcomes[-1]) == (
        "Self Use",
        ("disarmed", "self_consumption", True),
    )
    told = len(inverter.calls)
    armed.turn(SLOT)
    assert len(inverter.calls) == told


def test_an_inverter_that_never_confirms_its_return_is_left_to_its_owner_after_a_day(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(CHARGE)
    armed.turn()
    armed.disarm()
    inverter.faults.extend(["lose"] * 100)
    for _ in range(5):
        armed.turn(RESEND.first)
    for after, is_tried in ((HANDED_BACK_WITHIN - SLOT, True), (SLOT, False)):
        told = len(inverter.calls)
        armed.turn(after)
        for _ in range(5):
            armed.turn(RESEND.first)
        assert (len(inverter.calls) > told) is is_tried


def test_a_plan_of_a_site_in_the_request_drives_no_stored_site_of_its_name(
    armed: Home, inverter: Inverter
) -> None:
    outlook = {
        "load_kwh": [0.1] * 8,
        "pv_kwh": [0.0] * 8,
        "import_price": [0.1] * 4 + [0.9] * 4,
        "export_price": [0.0] * 8,
    }
    request = {
        "site": armed.site(describe()),
        "start": START,
        "outlook": outlook,
        "state": {"batteries": {"battery": {"soc": 0.5}}},
    }
    with unit_of_work(armed.database) as connection:
        plan_and_store(
            PlanRequest.model_validate(request), lambda: connection, now=START, solver=Solver()
        )
    armed.turn()
    assert armed.outcomes == [("no_plan", "self_consumption", True)]


def test_a_plan_that_began_before_it_was_issued_drives_nothing(armed: Home) -> None:
    plan = describe_plan(armed.name, START - SLOT, [CHARGE] * 4).model_copy(
        update={"issued_at": START}
    )
    with unit_of_work(armed.database) as connection:
        store_plan(connection, armed.name, plan)
    armed.turn()
    assert armed.outcomes == [("no_plan", "self_consumption", True)]


def test_a_dry_run_records_what_it_would_send(database: Engine) -> None:
    home = Home(database, lambda _: DryRun(), describe("dry_run"))
    home.arm()
    home.plan(CHARGE)
    with unit_of_work(database) as connection:
        observations.upsert(
            connection,
            home.name,
            Observations.of(Timeline(START - SLOT, SLOT, 1).starts, {"soc": [0.5]}),
        )
    home.turn()
    outcomes = home.outcomes
    home.close()
    assert outcomes == [("planned", "charge", True)]


def test_an_answer_about_the_state_of_charge_that_comes_late_does_not_make_the_command_late(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(CHARGE, CHARGE)
    armed.turn()
    armed.turn(SLOT - timedelta(minutes=1))
    with inverter.silent():
        armed.turn(timedelta(minutes=1))
    # What was said a minute ago still counts.
    assert armed.log[-1].allowed["battery"]["mode"] == "charge"
    assert inverter.states[MODE] == "Force Charge"


def test_a_state_of_charge_that_was_said_long_ago_does_not_count(
    armed: Home, inverter: Inverter
) -> None:
    armed.plan(CHARGE, CHARGE)
    armed.turn()
    with inverter.silent():
        armed.turn(SLOT)
    assert inverter.modes[-1] == "Standby"


@pytest.mark.parametrize("section", [None, {"by": "advice"}], ids=["taken away", "only advised"])
def test_a_site_whose_section_names_no_battery_any_more_is_handed_back(
    armed: Home, inverter: Inverter, section: dict[str, str] | None
) -> None:
    armed.plan(CHARGE, CHARGE, CHARGE)
    armed.turn()
    armed.configure(section)
    armed.start()
    armed.turn(timedelta(minutes=1))
    armed.turn(SLOT)
    assert inverter.modes == ["Force Charge", "Self Use"]
    armed.configure(describe())
    armed.turn(timedelta(minutes=1))
    assert inverter.modes[-1] == "Force Charge"


def test_what_is_told_in_another_way_since_is_handed_back_in_the_former_one(
    database: Engine, inverter: Inverter
) -> None:
    def open_device(section: Control) -> Device:
        return (
            DryRun()
            if section.by == "dry_run"
            else HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN))
        )

    home = Home(database, open_device, describe())
    home.arm()
    home.plan(CHARGE, CHARGE)
    home.turn()
    home.configure(describe("dry_run"))
    home.disarm()
    home.turn(timedelta(minutes=1))
    home.close()
    assert inverter.modes == ["Force Charge", "Self Use"]
