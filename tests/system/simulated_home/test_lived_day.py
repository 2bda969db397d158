"""A day in the browser: set-up, plan, arming, 96 quarter-hours, an override, yesterday's savings.

All of it held against the simulated home's truth.

Long runs alone: a short one lives an hour in test_live_demo.py.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pytest

from luna.drivers.simulated_battery import (
    BatteryCharge,
    Command,
    requested_power_kw,
    step_battery,
)
from luna.energy.devices.battery import BATTERIES
from luna.energy.timeline import SLOT, local_midnight
from luna.simulated_home.car import CAR_MODEL, CarState
from luna.simulated_home.house import BATTERY_MODEL, HomeState
from luna.simulated_home.site import CAR, MODES, ZONE
from tests.support.browser.page import DESKTOP
from tests.support.simulated_home.luna_instance import (
    HOME,
    PATIENCE_SECONDS,
    SITE,
    LivingLuna,
    arm,
    open_simulated_home,
    run_luna,
    wait_until,
)
from tests.support.simulated_home.true_flow import EDGE_KW, METER, SOC, soc_of, wait_for_true_flow
from tests.support.words.wording import wording

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.long

SLOTS = 96
WEDNESDAY = 2
SOON = 1000 * PATIENCE_SECONDS
# A decision is due at the start of a slot; a little later the inverter has followed, and the slot
# before it can be built.
BEGUN = timedelta(seconds=1)
FOLLOWED = timedelta(seconds=20)
ENDING = timedelta(seconds=2)
# Five kilowatts at a kilowatt per second, and the step of five seconds in which that begins.
RAMP = timedelta(seconds=10)
# In the evening, when no plan charges: from 19:00 to 20:15.
OVERRIDDEN = 76
OVERRIDE_SLOTS = 5
OVERRIDE_ENDS = OVERRIDDEN + OVERRIDE_SLOTS
# How many modes a run has at least: by day it stores, serves, and does something with the grid or
# nothing at all.
LEAST_MODES = 3
# Quarter-hours after which a plan is waited for, and the open page.
PLAN_EVERY = 4
PAGE_EVERY = 8
COUNTED = ("load", "pv", "import", "export", "charge", "discharge")
SLOTS_PER_HOUR = 4
ALONE_STEPS = 60
MOST_LATE = 5
# In a quarter-hour; a car leaves with what its plan reckons its charger loses, the truth has its
# own.
HEATER_KWH = 0.5
CAR_SOC = 0.04
# At eight in the evening the page says how full the car leaves; at eight in the morning it is gone.
PROMISED = 80
LEFT = SLOTS + 32


def next_may_day(now: datetime) -> datetime:
    """The midnight at which the next Wednesday after the 16th of May begins: sun, an evening, and a
    day of work, of 24 hours.
    """
    firsts = [date(year, 5, 17) for year in (now.year, now.year + 1)]
    midnights = [
        local_midnight(first + timedelta(days=(WEDNESDAY - first.weekday()) % 7), ZONE)
        for first in firsts
    ]
    return next(each for each in midnights if each - timedelta(hours=1) > now)


MIDNIGHT = next_may_day(datetime.now(UTC))
END = MIDNIGHT + SLOTS * SLOT


@dataclass
class LivedSlot:
    """What was decided for a slot, how long after its start the inverter had said that it holds,
    and the truth at both of its ends.
    """

    decision: dict[str, Any]
    car_decision: dict[str, Any]
    settled_after: timedelta
    begin: HomeState
    end: HomeState

    @property
    def cars(self) -> tuple[CarState, CarState]:
        """The car at both ends."""
        assert self.begin.car is not None
        assert self.end.car is not None
        return self.begin.car, self.end.car

    @property
    def car_kwh(self) -> float:
        """What the car took meanwhile."""
        before, after = self.cars
        return after.charge_kwh - before.charge_kwh

    def kwh(self, name: str) -> float:
        """What one of the truth's counters counted meanwhile."""
        return float(getattr(self.end, name) - getattr(self.begin, name))

    @property
    def told(self) -> dict[str, Any]:
        """The set-point that was allowed."""
        told: dict[str, Any] = self.decision["allowed"]["battery"]
        return told

    def transition_kwh(self, most_kw: float) -> float:
        """What a device can have moved by the command before: until this one held, and while its
        power changed.
        """
        return most_kw * (self.settled_after + RAMP) / timedelta(hours=1)


@dataclass
class LivedDay:
    """Its slots, and the figures of the open page when some of them began.

    A slot is numbered from midnight.
    """

    slots: list[LivedSlot] = field(default_factory=list)
    facts: dict[int, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def luna(kept_folder: Path) -> Iterator[LivingLuna]:
    with run_luna(
        kept_folder.parent,
        "up",
        begins_at=MIDNIGHT - timedelta(minutes=25),
        ready=LivingLuna.is_live,
    ) as luna:
        yield luna


@pytest.fixture(scope="module")
def tabs(luna: LivingLuna, browser: "Browser") -> "Iterator[tuple[Page, Page]]":
    with closing(browser.new_context(service_workers="block", **DESKTOP)) as context:
        context.set_default_timeout(SOON)
        luna.admit(context)
        yield context.new_page(), context.new_page()


@pytest.fixture(scope="module")
def day() -> LivedDay:
    return LivedDay()


def test_the_page_of_set_up_leads_to_a_plan_and_two_clicks_arm(
    luna: LivingLuna, tabs: "tuple[Page, Page]"
) -> None:
    from playwright.sync_api import expect

    page, other = tabs
    open_simulated_home(page, luna)
    expect(page.locator("body")).to_contain_text(wording("every_page", "simulated"))
    luna.stop_steering()
    arm(other, luna)
    other.goto("about:blank")
    wait_until(lambda: read_decision(luna).get("confirmed_at"))


def test_in_every_quarter_hour_the_battery_follows_and_an_override_shows_in_every_tab(
    luna: LivingLuna, tabs: "tuple[Page, Page]", day: LivedDay
) -> None:
    luna.set_clock(MIDNIGHT - ENDING)
    wait_until(lambda: luna.files.read_state().at >= (MIDNIGHT - ENDING).timestamp())
    for number in range(OVERRIDDEN):
        live_quarter(luna, day, number, page=tabs[0])
    live_quarter(luna, day, OVERRIDDEN, page=tabs[0], meanwhile=lambda: override(luna, tabs))
    for number in range(OVERRIDDEN + 1, OVERRIDE_ENDS):
        live_quarter(luna, day, number, page=tabs[0])
    live_quarter(
        luna, day, OVERRIDE_ENDS, page=tabs[0], meanwhile=lambda: require_no_override(tabs)
    )
    for number in range(OVERRIDE_ENDS + 1, SLOTS):
        live_quarter(luna, day, number, page=tabs[0])

    decided_by = (
        ["planner"] * OVERRIDDEN
        + ["owner"] * OVERRIDE_SLOTS
        + ["planner"] * (SLOTS - OVERRIDE_ENDS)
    )
    assert [slot.decision["decided_by"] for slot in day.slots] == decided_by
    assert {
        number: list(find_faults(slot))
        for number, slot in enumerate(day.slots)
        if list(find_faults(slot))
    } == {}
    assert len({slot.told["mode"] for slot in day.slots}) >= LEAST_MODES


def test_what_page_and_timeline_say_of_the_day_is_what_was_true(
    luna: LivingLuna, tabs: "tuple[Page, Page]", day: LivedDay
) -> None:
    luna.set_clock(END + FOLLOWED)
    wait_for_true_flow(luna, tabs[0])
    luna.wait_until_built()
    span = {"from": MIDNIGHT.isoformat(), "to": END.isoformat()}
    timeline = luna.client.get(f"{SITE}/timeline", params=span).raise_for_status().json()
    measured = timeline["measured"]
    wrong: dict[str, list[int]] = {}
    for name in COUNTED:
        said = np.array(measured[f"{name}_kw"], dtype=float)
        true = np.array([slot.kwh(f"{name}_kwh") for slot in day.slots]) * SLOTS_PER_HOUR
        wrong[name] = np.flatnonzero(~np.isclose(said, true, rtol=METER, atol=EDGE_KW)).tolist()
    charged_kw = [slot.car_kwh * SLOTS_PER_HOUR for slot in day.slots]
    wrong["car"] = np.flatnonzero(
        ~np.isclose(
            np.array(measured["vehicle_kw"], dtype=float), charged_kw, rtol=METER, atol=EDGE_KW
        )
    ).tolist()
    said = np.array(measured["soc"], dtype=float)
    begun, ended = np.array([(soc_of(slot.begin), soc_of(slot.end)) for slot in day.slots]).T
    # The last level of a slot may be heard when the clock has gone on already: then one before it
    # stands.
    wrong["soc"] = np.flatnonzero(
        (said < np.fmin(begun, ended) - SOC) | (said > np.fmax(begun, ended) + SOC)
    ).tolist()
    late = np.flatnonzero(~np.isclose(said, ended, rtol=0, atol=SOC)).tolist()
    assert len(late) <= MOST_LATE, late
    assert {name: slots for name, slots in wrong.items() if slots} == {}
    assert timeline["decisions"]["decided_by"] == [
        slot.decision["decided_by"] for slot in day.slots
    ]


def test_the_account_of_the_hours_that_were_lived_is_what_was_true(
    luna: LivingLuna, day: LivedDay
) -> None:
    query = {"period": "day", "day": str(MIDNIGHT.astimezone(ZONE).date())}
    account = luna.client.get(f"{SITE}/account", params=query).raise_for_status().json()
    wrong = []
    for first in range(0, len(day.slots) - SLOTS_PER_HOUR + 1, SLOTS_PER_HOUR):
        begins = MIDNIGHT + first * SLOT
        slots = day.slots[first : first + SLOTS_PER_HOUR]
        part = next(
            (each for each in account["parts"] if datetime.fromisoformat(each["start"]) == begins),
            None,
        )
        for name in ("import", "export", "pv"):
            true = sum(slot.kwh(f"{name}_kwh") for slot in slots)
            if part is not None and part["flows"].get(name, 0.0) != pytest.approx(
                true, rel=METER, abs=EDGE_KW
            ):
                wrong.append((begins, name, part["flows"].get(name), true))
    assert wrong == []
    supplied = sum(flow["energy_kwh"] for flow in account["sources"])
    assert supplied == pytest.approx(
        sum(flow["energy_kwh"] for flow in account["uses"]) + account["unexplained_kwh"], abs=0.0005
    )
    assert sum(line["cost"] for line in account["lines"]) == pytest.approx(
        account["totals"]["energy_cost"]
    )


def test_what_yesterday_saved_on_the_page_is_what_the_truth_saved(
    luna: LivingLuna, tabs: "tuple[Page, Page]", day: LivedDay
) -> None:
    span = {"from": MIDNIGHT.isoformat(), "to": (MIDNIGHT + SLOTS * SLOT).isoformat()}
    timeline = luna.client.get(f"{SITE}/timeline", params=span).raise_for_status().json()
    prices = list(zip(timeline["prices"]["import"], timeline["prices"]["export"], strict=True))
    cost = sum(
        slot.kwh("import_kwh") * buys - slot.kwh("export_kwh") * sells
        for slot, (buys, sells) in zip(day.slots, prices, strict=True)
    )
    alone = day.slots[0].begin.battery
    alone_cost = 0.0
    for slot, (buys, sells) in zip(day.slots, prices, strict=True):
        alone, bought, sold = live_alone(alone, slot)
        alone_cost += bought * buys - sold * sells
    # What a kWh is worth that is still stored at midnight, only Luna says.
    value = timeline["decisions"]["energy_value"][-1]
    saved = alone_cost - cost + value * (day.slots[-1].end.battery.stored_kwh - alone.stored_kwh)
    facts = tabs[0].locator(".facts").inner_text()
    said = re.search(r"([+−]?)€(\d+\.\d\d) yesterday", facts)
    assert said, facts
    assert float(said[1].replace("−", "-") + said[2]) == pytest.approx(saved, abs=0.1), (
        alone_cost,
        cost,
        value,
    )


def test_in_the_morning_the_car_leaves_as_full_as_the_page_said_in_the_evening(
    luna: LivingLuna, tabs: "tuple[Page, Page]", day: LivedDay
) -> None:
    for number in range(SLOTS, LEFT):
        live_quarter(luna, day, number, page=tabs[0])
    assert {
        number: found
        for number, slot in enumerate(day.slots)
        if number >= SLOTS and (found := list(find_faults(slot)))
    } == {}
    leaves = next(
        slot for slot in day.slots[SLOTS:] if slot.cars[0].is_home and not slot.cars[1].is_home
    )
    said = re.search(
        r"Car, tomorrow \d\d:\d\d\s+(\d+)%", day.facts[PROMISED].replace("\u00a0", " ")
    )
    assert said, day.facts[PROMISED]
    assert leaves.cars[0].soc == pytest.approx(int(said[1]) / 100, abs=CAR_SOC)
    # It came home emptier, and was filled by the evening's sun or by night, as the plan had it.
    comes = next(slot for slot in day.slots if not slot.cars[0].is_home and slot.cars[1].is_home)
    assert leaves.cars[0].charge_kwh - comes.cars[0].charge_kwh > 1.0


def live_quarter(
    luna: LivingLuna,
    day: LivedDay,
    number: int,
    *,
    page: "Page",
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Live a slot: the executor decides, the inverter follows, the open page has what flows at each
    full hour, and time passes to its end.
    """
    start = MIDNIGHT + number * SLOT
    begin = luna.files.read_state()
    luna.set_clock(start + BEGUN)
    wait_until(lambda: is_tried(luna, start))
    luna.set_clock(start + FOLLOWED)
    wait_until(lambda: is_followed(luna, start))
    if number % PLAN_EVERY == 0:
        # The executor asks for it once the one before is an hour old.
        wait_until(
            lambda: (
                datetime.fromisoformat(luna.read(f"{SITE}/plans/latest")["issued_at"])
                > start - timedelta(hours=1)
            )
        )
    if number > 0 and number % PAGE_EVERY == 0:
        wait_for_true_flow(luna, page)
        day.facts[number] = page.locator(".facts").inner_text()
    meanwhile()
    decision = read_decision(luna)
    car_decision = read_decision(luna, f"vehicle:{CAR}")
    end = (start + SLOT - ENDING).timestamp()
    luna.set_clock(start + SLOT - ENDING)
    wait_until(lambda: luna.files.read_state().at >= end)
    settled_at = max(
        datetime.fromisoformat(each["confirmed_at"]) for each in (decision, car_decision)
    )
    day.slots.append(
        LivedSlot(decision, car_decision, settled_at - start, begin, luna.files.read_state())
    )


def read_decisions(luna: LivingLuna) -> dict[str, dict[str, Any]]:
    """Return what was decided last for each device that anything was decided for."""
    devices = luna.read(f"{SITE}/control").get("devices", [])
    return {each["device"]: each["decision"] for each in devices if each["decision"]}


def read_decision(luna: LivingLuna, device: str = BATTERIES) -> dict[str, Any]:
    return read_decisions(luna).get(device, {})


def is_tried(luna: LivingLuna, start: datetime) -> bool:
    decisions = read_decisions(luna).values()
    return all(
        datetime.fromisoformat(each["slot_start"]) == start and each["tries"] > 0
        for each in decisions
    )


def is_followed(luna: LivingLuna, start: datetime) -> bool:
    decisions = read_decisions(luna).values()
    return all(
        datetime.fromisoformat(each["slot_start"]) == start and each["confirmed_at"]
        for each in decisions
    )


def override(luna: LivingLuna, tabs: "tuple[Page, Page]") -> None:
    """Have the battery charge for an hour from one tab, and see it in the other."""
    from playwright.sync_api import expect

    page, other = tabs
    other.goto(str(luna.client.base_url) + HOME)
    # What a step of the page leads to: the slot that runs, with what can be done instead.
    page.goto(
        f"{luna.client.base_url}{HOME}?at={quote((MIDNIGHT + OVERRIDDEN * SLOT).isoformat())}"
    )
    until = MIDNIGHT + OVERRIDE_ENDS * SLOT
    page.select_option("form.override select[name=until]", label=f"{until.astimezone(ZONE):%H:%M}")
    page.locator("form.override button[value=charge]").click()
    for tab in (page, other):
        expect(
            tab.locator(".hero .notice", has_text=f"until {until.astimezone(ZONE):%H:%M}")
        ).to_be_visible(timeout=SOON)
    wait_until(lambda: luna.files.read_state().command.mode == MODES["charge"])
    wait_until(lambda: read_decision(luna)["confirmed_at"])


def require_no_override(tabs: "tuple[Page, Page]") -> None:
    from playwright.sync_api import expect

    for tab in tabs:
        expect(tab.get_by_role("button", name="End now")).to_have_count(0, timeout=SOON)
    # A page that nobody looks at any more need not follow.
    tabs[1].goto("about:blank")


def find_faults(slot: LivedSlot) -> Iterator[str]:
    """Yield what the battery did in a slot beside what it was told."""
    told = slot.told
    charged = slot.kwh("charge_kwh")
    given = slot.kwh("discharge_kwh")
    little = slot.transition_kwh(BATTERY_MODEL.limit_kw)
    command = slot.end.command
    if command.mode != MODES[told["mode"]]:
        yield f"told {told['mode']}, does {command.mode}"
    if told["mode"] in ("save", "hold", "charge") and given > little:
        yield f"told {told['mode']}, gave {given:.3f} kWh"
    if told["mode"] in ("supply", "hold", "export") and charged > little:
        yield f"told {told['mode']}, stored {charged:.3f} kWh"
    if told["mode"] in ("charge", "export"):
        yield from _find_forced_faults(slot, moved=charged if told["mode"] == "charge" else given)
    yield from _find_car_faults(slot)


def _find_forced_faults(slot: LivedSlot, *, moved: float) -> Iterator[str]:
    told = slot.told
    soc = soc_of(slot.end)
    charges = slot.told["mode"] == "charge"
    if not np.isclose(slot.end.command.power_kw, told["power_kw"], atol=0.001):
        yield f"told {told['power_kw']} kW, has {slot.end.command.power_kw} kW"
    beside = slot.kwh("pv_kwh") if charges else slot.kwh("load_kwh") + slot.car_kwh + HEATER_KWH
    wanted = told["power_kw"] / SLOTS_PER_HOUR
    little = slot.transition_kwh(BATTERY_MODEL.limit_kw)
    # Until it is where it was to go, which the inverter takes in whole per cents, or where it takes
    # and gives less and less.
    charged = soc >= min(told["target_soc"] - SOC, BATTERY_MODEL.charge_taper_soc)
    reached = (
        charged
        if charges
        else soc <= max(told["target_soc"] + SOC, BATTERY_MODEL.discharge_taper_soc)
    )
    if moved > min(wanted + beside, BATTERY_MODEL.limit_kw / SLOTS_PER_HOUR) + little:
        yield f"told {wanted:.3f} kWh, moved {moved:.3f} kWh beside {beside:.3f} kWh"
    if not reached and moved < wanted - little:
        yield f"told {wanted:.3f} kWh, moved only {moved:.3f} kWh, at {soc:.2f}"


def _find_car_faults(slot: LivedSlot) -> Iterator[str]:
    told = slot.car_decision["allowed"][CAR]
    before, after = slot.cars
    little = slot.transition_kwh(CAR_MODEL.most_kw)
    offered_kw = after.command.offered_kw(CAR_MODEL)
    # In whole amperes on three phases, rounded down.
    if not told["charge_kw"] - 3 * CAR_MODEL.voltage_kv < offered_kw <= told["charge_kw"] + 0.001:
        yield f"told to charge the car with {told['charge_kw']} kW, offers {offered_kw} kW"
    if slot.car_kwh > offered_kw / SLOTS_PER_HOUR + little:
        yield f"offered the car {offered_kw} kW, it took {slot.car_kwh:.3f} kWh"
    sessions = before.is_home and after.is_home and after.soc < CAR_MODEL.taper_soc
    if sessions and slot.car_kwh < offered_kw / SLOTS_PER_HOUR - little:
        yield (
            f"offered the car {offered_kw} kW, it took only {slot.car_kwh:.3f} kWh at "
            f"{after.soc:.2f}"
        )


def live_alone(battery: BatteryCharge, slot: LivedSlot) -> tuple[BatteryCharge, float, float]:
    """Return the battery after a slot in which its inverter does what it does by itself, and what
    was bought and sold, kWh; all else is as it was.
    """
    hours = (slot.end.at - slot.begin.at) / 3600
    beside_kw = (
        slot.kwh("import_kwh")
        - slot.kwh("export_kwh")
        - slot.kwh("charge_kwh")
        + slot.kwh("discharge_kwh")
    ) / hours
    bought = sold = 0.0
    for _ in range(ALONE_STEPS):
        wanted_kw = requested_power_kw(
            Command(), battery.stored_kwh / BATTERY_MODEL.capacity_kwh, -beside_kw
        )
        battery, _ = step_battery(
            BATTERY_MODEL, battery, wanted_kw, seconds=hours * 3600 / ALONE_STEPS
        )
        grid_kwh = (beside_kw + battery.power_kw) * hours / ALONE_STEPS
        bought = bought + max(grid_kwh, 0.0)
        sold = sold + max(-grid_kwh, 0.0)
    return battery, bought, sold
