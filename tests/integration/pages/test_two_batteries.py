"""A home with two unlike batteries: wherever its owner reads of them, each stands by its name, in
values that its own app takes.
"""

import csv
import html
import io
import math
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint
from luna.contracts.live_flow import LiveFlow
from luna.contracts.plan import PlanReply
from luna.contracts.site_tools import ToolCallRequest
from luna.drivers.control.units.battery import Batteries
from luna.drivers.control.units.unit import InForce
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.energy.timeline import SLOT
from luna.house.now import HouseNow
from luna.house.now_reader import read_house, read_planned
from luna.house.statements import format_statement, state_house
from luna.platform.clock import FixedClock
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue.connection import connect
from luna.platform.queue.live_flows import LiveFlows
from luna.words import say_mode
from services.cli.plan_table import show_plan
from services.home_assistant.entities import list_entities, numbers_of
from services.rag.tools.registry import call_tool
from tests.support.control.inverters import describe
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, stored_site
from tests.support.gateway.server import serve
from tests.support.words.wording import plain, wording, wording_pattern

HOME = "/ui/sites/twins/home"
# 01:00 by the clock of the home: energy is cheap until 05:00, and dear from then on.
NOW = datetime.fromisoformat("2026-05-19T23:00:00+00:00")
# Until then each waits for its turn of the cheap hours.
NOW_ENDS = {"cellar": "03:00", "garage": "04:00"}
BATTERIES: list[dict[str, Any]] = [
    {
        "name": "cellar",
        "capacity_kwh": 5.2,
        "charge_limit_kw": 2.5,
        "discharge_limit_kw": 2.5,
        "wear_price": 0.01,
    },
    {
        "name": "garage",
        "capacity_kwh": 10,
        "charge_limit_kw": 5,
        "discharge_limit_kw": 5,
        "wear_price": 0.02,
    },
]
TARIFF = {
    "import": {
        "kind": "time_of_use",
        "default": 0.40,
        "bands": [{"from": "00:00", "to": "05:00", "price": 0.10}],
    },
    "export": {"kind": "fixed", "price": 0.05},
}


@pytest.fixture(scope="module")
def planned(database: Engine) -> Iterator[tuple[Site, PlanReply]]:
    with stored_site(
        database, name="twins", batteries=BATTERIES, tariff=TARIFF, control=Control(by="advice")
    ) as site:
        with unit_of_work(database) as connection:
            issue_half_a_kilowatt(connection, site.name, NOW)
            state = {"batteries": {"cellar": {"soc": 0.2}, "garage": {"soc": 0.1}}}
            plan = plan_stored(
                connection,
                site.name,
                NOW,
                state=state,
                options={"mip_gap": 0.02, "time_limit_s": 10},
            )
        yield site, plan


@pytest.fixture(scope="module")
def house(planned: tuple[Site, PlanReply], database: Engine) -> HouseNow:
    with unit_of_work(database) as connection:
        return read_house(
            connection,
            planned[0],
            read_planned(connection, planned[0], now=NOW),
            plan_max_age=None,
            now=NOW,
        )


@pytest.fixture(scope="module")
def api(
    planned: tuple[Site, PlanReply], database_url: str, redis_url: str
) -> Iterator[httpx.Client]:
    assert planned
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url), FixedClock(NOW)
    ) as client:
        client.headers["Accept-Language"] = "en"
        yield client


@pytest.fixture(scope="module")
def page(api: httpx.Client) -> str:
    return read_text(api.get(HOME))


def read_text(answer: httpx.Response) -> str:
    """Return the words of a page, without its markup."""
    return plain(" ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split()))


def list_sent(site: Site, plan: PlanReply, name: str) -> list[BatterySetpoint]:
    """Return what the executor would send to a battery, slot by slot, as full as the plan has
    it.
    """
    (section,) = describe()["batteries"]
    control = Control.model_validate(
        describe() | {"batteries": [section | {"battery": each["name"]} for each in BATTERIES]}
    )
    unit = Batteries(site, control)
    sent: list[BatterySetpoint] = []
    for place in range(len(plan.slots)):
        before = plan.slots[max(place - 1, 0)].batteries
        soc = {battery: flow.soc_end for battery, flow in before.items()}
        requested = unit.read_plan(
            plan.model_copy(update={"thresholds": {}}), place, InForce(soc, {})
        )
        assert requested is not None
        setpoint = unit.make_safe(requested, soc)[name]
        assert isinstance(setpoint, BatterySetpoint)
        sent.append(setpoint)
    return sent


@pytest.mark.parametrize(("name", "limit_kw"), [("cellar", 2.5), ("garage", 5.0)])
def test_advice_is_the_power_and_the_target_of_each_battery(
    page: str, planned: tuple[Site, PlanReply], name: str, limit_kw: float
) -> None:
    site, plan = planned
    advised = re.split(
        "cellar|garage", page.partition(wording("home", "advice"))[2].partition(name)[2]
    )[0]
    pattern = wording_pattern(
        "home", "deed_charge", kw=re.compile(r"[\d.]+"), soc=re.compile(r"\d+%")
    )
    found = pattern.search(advised)
    assert found is not None
    power_kw = float(found[1])
    target_soc = int(found[2][:-1]) / 100
    charging = [setpoint for setpoint in list_sent(site, plan, name) if setpoint.mode == "charge"]
    assert power_kw <= limit_kw
    assert power_kw == pytest.approx(
        max(setpoint.power_kw or 0.0 for setpoint in charging[:16]), abs=0.05
    )
    assert target_soc <= max(setpoint.target_soc or 0.0 for setpoint in charging) + 0.005
    # What is advised brings about what is planned: 5.2 kWh are not filled by 7.5 kW.
    charged = [slot.batteries[name] for slot in plan.slots if slot.start < NOW + 16 * SLOT]
    assert max(flow.soc_end for flow in charged) == pytest.approx(target_soc, abs=0.02)


def test_home_names_each_battery_in_sentence_steps_and_figures(page: str) -> None:
    for name in ("cellar", "garage"):
        assert any(
            wording("home", f"now_{state}", name=name, until="") in page
            for state in ("charge", "self_consumption", "save", "hold", "supply")
        )
        assert wording_pattern("home", "step_charge", name=name).search(page)
        assert wording("home", "fact_stored_each", name=name) in page
    assert wording("home", "now_charge", name="Battery", until="") not in page


def test_the_sheet_and_the_table_of_every_quarter_hour_have_each_battery(
    api: httpx.Client, planned: tuple[Site, PlanReply]
) -> None:
    # 04:15, when both charge.
    slot = planned[1].slots[13]
    sheet = read_text(api.get(f"{HOME}/why", params={"at": slot.start.isoformat()}))
    rows = csv.DictReader(io.StringIO(api.get(f"{HOME}/plan.csv").text))
    (row,) = [each for each in rows if datetime.fromisoformat(each["slot_start"]) == slot.start]
    charge = say_mode("charge", language="en", of_battery=True)
    for name, flow in slot.batteries.items():
        assert (f"{name} {charge} · +{flow.charge_kwh * 4:.1f} kW · {flow.soc_end:.0%}") in sheet
        assert float(row[f"planned_power_kw:{name}"]) == pytest.approx(
            flow.charge_kwh * 4, abs=1e-4
        )
        assert float(row[f"planned_soc:{name}"]) == pytest.approx(flow.soc_end, abs=1e-4)
    assert wording("home", "fact_stored_each", name="garage") in read_text(api.get(f"{HOME}/table"))


def test_energy_now_has_the_power_and_the_charge_of_each_battery(
    api: httpx.Client, redis_url: str
) -> None:
    flow = LiveFlow(
        at=NOW - timedelta(seconds=4),
        import_kw=2.1,
        export_kw=0.0,
        pv_kw=0.0,
        charge_kw=2.4,
        discharge_kw=0.6,
        load_kw=0.3,
        batteries_kw={"cellar": 2.4, "garage": -0.6},
        battery_socs={"cellar": 0.52, "garage": 0.4},
    )
    with closing(connect(redis_url)) as redis:
        LiveFlows(redis).share({"twins": flow}, {})
        shown = read_text(api.get(f"{HOME}/flow"))
        LiveFlows(redis).share({"twins": None}, {})
    for said in (
        "cellar 2.4 kW · 52%",
        "garage 0.6 kW · 40%",
        "House 0.3 kW",
        wording("home", "flow_ago", n=4),
        wording("home", "live"),
    ):
        assert said in shown


def test_home_assistant_has_the_sensors_of_each_battery(
    house: HouseNow, planned: tuple[Site, PlanReply]
) -> None:
    entities = {
        entity.key: entity
        for entity in list_entities(house, numbers_of(house, "en"), commands=False)
    }
    assert {"plan_soc", "plan_battery", "next_action", "next_action_at"} & entities.keys() == set()
    for name in ("cellar", "garage"):
        flow = planned[1].slots[0].batteries[name]
        power, soc = (
            entities[f"{key}:{name}"] for key in ("plan_power_battery", "plan_soc_battery")
        )
        assert power.state is not None
        assert soc.state is not None
        assert power.state(house, numbers_of(house, "en")) == pytest.approx(
            (flow.charge_kwh - flow.discharge_kwh) * 4, abs=0.001
        )
        assert soc.state(house, numbers_of(house, "en")) == pytest.approx(
            flow.soc_end * 100, abs=0.05
        )
        assert name in power.name(numbers_of(house, "en"))


def test_messages_and_answers_tell_of_each_battery(
    house: HouseNow, database: Engine, planned: tuple[Site, PlanReply]
) -> None:
    numbers = numbers_of(house, "en")
    told = [
        format_statement(statement, numbers, now=NOW) for statement in state_house(house, numbers)
    ]
    asked = ToolCallRequest.model_validate(
        {"tool": "plan", "arguments": {}, "site_id": "twins", "language": "en"}
    )
    with unit_of_work(database) as connection:
        answer = call_tool(connection, asked, now=NOW).text
    for name in ("cellar", "garage"):
        begins = wording(
            "house",
            "house_now_each",
            device=name,
            end=NOW_ENDS[name],
            mode=say_mode("save", language="en"),
            reason="",
        ).rstrip()
        assert any(
            sentence.startswith(begins) and sentence == sentence.rstrip() for sentence in told
        )
        assert any(
            wording_pattern("house", "house_stored_each", device=name).match(sentence)
            for sentence in told
        )
        assert wording_pattern("answers", "plan_charge_each", battery=name).search(answer)
    charged_kwh = sum(slot.batteries["cellar"].charge_kwh for slot in planned[1].slots)
    assert math.isfinite(charged_kwh)
    assert f"{charged_kwh:.1f}" in plain(answer)


def test_luna_plan_has_columns_for_each_battery(
    planned: tuple[Site, PlanReply], capsys: pytest.CaptureFixture[str]
) -> None:
    show_plan(planned[1], "en")
    head = capsys.readouterr().out
    assert ("cellar" in head, "garage" in head) == (True, True)
