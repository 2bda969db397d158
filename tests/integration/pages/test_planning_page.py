"""The page Planning: what is fixed, what it would cost, and that everything can be taken back."""

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.alternative import Alternative, WhyNotRequest
from luna.contracts.battery_trial import BatteryMove, BatteryTrial, BatteryTrials, UnknownReading
from luna.contracts.charging_sessions import NewSession
from luna.energy.devices.commands import Via
from luna.energy.timeline import SLOT, floor_to, local_days
from luna.house import control_service
from luna.platform.clock import SystemClock
from luna.platform.database import (
    charging_sessions,
    control,
    device_trials,
    jobs,
    manual_blocks,
    plans,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.plans import plan_history
from luna.platform.embedded.supervisor import Addresses
from luna.words import Language, Numbers
from luna.words.command_trial import COMMAND_TRIAL, format_command_trial
from luna.words.devices import say_device
from luna.words.implausible import say_implausible
from luna.words.trial import TRIAL
from services.planner.milp.solver import Solver
from services.planner.service.alternative import plan_stored_alternative
from tests.support.control.inverters import describe
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.pages.site_with_history import (
    ZONE,
    describe_furnished,
    forget_furnished,
    plan_now,
)
from tests.support.words.wording import wording, wording_pattern
from tests.support.worker.workers import wait_for, worker_process

PAGE = "/ui/sites/planned/planning"


@pytest.fixture
def site(database: Engine) -> Iterator[str]:
    with unit_of_work(database) as connection:
        site = describe_furnished(
            "planned", vehicles=[], control=describe(), strategy={"vacation": {}}
        )
        sites.save(connection, site)
        plan_now(connection, site, SystemClock().now())
        sites.save(connection, describe_furnished("bare", vehicles=[]))
    yield site.name
    with unit_of_work(database) as connection:
        forget_furnished(connection, "planned", "bare")


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


def read(api: httpx.Client, address: str, language: str = "en") -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text))).replace(
        "\u00a0", " "
    )


def tomorrow(**changes: Any) -> dict[str, str]:
    # At eight in the evening, when sun has gone and the battery is needed: at noon a full one could
    # not be charged.
    soon = SystemClock().now().astimezone(ZONE) + timedelta(hours=2)
    evening = soon.replace(hour=20, minute=0, second=0, microsecond=0)
    first = (evening if evening >= soon else evening + timedelta(days=1)).astimezone(UTC)
    fields = {
        "device": "battery",
        "action": "charge",
        "from": first.isoformat(),
        "to": (first + timedelta(hours=2)).isoformat(),
        "power_kw": "",
    }
    return fields | changes


def test_what_is_fixed_stands_there_until_it_is_taken_back_and_can_be_put_back(
    api: httpx.Client, database: Engine, site: str
) -> None:
    assert wording("planning", "headline_free") in read(api, PAGE)
    assert api.post(f"{PAGE}/blocks", data=tomorrow(power_kw="2,5")).status_code == 303
    assert "Battery: Charge 2.5 kW" in read(api, PAGE)
    assert "Batterie: Laden 2,5 kW" in read(api, PAGE, "de")
    with unit_of_work(database) as connection:
        (block,) = manual_blocks.read_standing(connection, site, first=SystemClock().now())
    assert block.power_kw == 2.5
    taken = api.post(f"{PAGE}/blocks/{block.block_id}/take-back")
    assert (taken.status_code, taken.headers["Location"]) == (
        303,
        f"{PAGE}?taken_back={block.block_id}",
    )
    text = read(api, taken.headers["Location"])
    assert wording("planning", "headline_free") in text
    assert wording("planning", "taken_back", what="Battery: Charge 2.5 kW") in text


def test_the_cost_said_beforehand_is_the_planner_s_and_nothing_is_stored(
    api: httpx.Client, redis_url: str, database_url: str, database: Engine, site: str
) -> None:
    fields = tomorrow()
    with unit_of_work(database) as connection:
        plan = plans.latest(connection, site, now=SystemClock().now())
        assert plan is not None
        alternative = Alternative(
            slot=fields["from"], until=fields["to"], mode="charge", device="battery"
        )  # type: ignore[arg-type]
        expected = plan_stored_alternative(
            connection,
            WhyNotRequest(plan_id=plan.plan_id, alternative=alternative),
            solver=Solver(),
        ).cost.total
    with worker_process(redis_url, database_url, "services.planner.tasks"):
        part = api.get(f"{PAGE}/cost", params=fields, headers={"HX-Request": "true"})
        by_plan = api.get(f"{PAGE}/cost", params=tomorrow(device="grid", action="no_import"))
        page = read(api, f"{PAGE}?{httpx.QueryParams(fields | {'cost': 'true'})}")
    assert "<html" not in part.text
    said = wording("planning", "cost_more", amount=f"€{expected:.2f}")
    assert said in unescape(part.text)
    assert said in page
    costs = [wording_pattern("planning", code) for code in ("cost_more", "cost_less", "cost_same")]
    assert any(cost.search(unescape(by_plan.text)) for cost in costs)
    with unit_of_work(database) as connection:
        latest = plans.latest(connection, site, now=SystemClock().now())
        assert latest is not None
        assert latest.plan_id == plan.plan_id
        assert manual_blocks.read_standing(connection, site, first=SystemClock().now()) == []


def test_a_block_that_ends_before_the_plan_begins_is_answered_in_words(
    api: httpx.Client, redis_url: str, database_url: str, database: Engine, site: str
) -> None:
    begins = floor_to(SystemClock().now(), SLOT) + 2 * timedelta(hours=1)
    with unit_of_work(database) as connection:
        connection.execute(plan_history.delete().where(plan_history.c.site == site))
        plan_now(connection, sites.load(connection, site), begins)
    sooner = {"from": (begins - timedelta(hours=1)).isoformat(), "to": begins.isoformat()}
    with worker_process(redis_url, database_url, "services.planner.tasks"):
        part = api.get(f"{PAGE}/cost", params=tomorrow(**sooner), headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert wording("planning", "cost_unknown") in unescape(part.text)


def test_what_cannot_be_had_is_said_where_the_form_stands(api: httpx.Client, site: str) -> None:
    for fields, said in [
        (tomorrow(device="toaster"), wording("refusals", "sentence_no-such-device")),
        (tomorrow(action="on"), wording("refusals", "sentence_no-such-mode", device="Battery")),
        (tomorrow(power_kw="99"), wording("refusals", "sentence_power-beyond", device="Battery")),
        (tomorrow(action="hold", power_kw="3"), wording("refusals", "remedy_power-without-charge")),
        (tomorrow(to=tomorrow()["from"]), wording("refusals", "sentence_ends-before-start")),
    ]:
        assert said in read(api, f"{PAGE}/cost?{httpx.QueryParams(fields)}"), fields
        assert api.post(f"{PAGE}/blocks", data=fields).status_code == 422
        # A browser without scripts asks the page.
        assert said in read(api, f"{PAGE}?{httpx.QueryParams(fields | {'cost': 'true'})}"), fields
    assert api.post(f"{PAGE}/blocks", data=tomorrow(power_kw="much")).status_code == 422


def test_without_a_plan_the_cost_is_not_known_and_said_so(api: httpx.Client, site: str) -> None:
    assert wording("planning", "no_plan") in read(api, "/ui/sites/bare/planning")
    cost = read(api, f"/ui/sites/bare/planning/cost?{httpx.QueryParams(tomorrow())}")
    assert wording("refusals", "sentence_no-plan-to-compare") in cost


def test_nothing_is_sent_until_its_owner_said_so_twice(
    api: httpx.Client, database: Engine, site: str
) -> None:
    assert wording("planning", "control_off") in read(api, PAGE)
    assert wording("planning", "control_none") in read(api, "/ui/sites/bare/planning")
    refused = api.post(f"{PAGE}/arm", headers={"Accept-Language": "de"})
    assert refused.status_code == 422
    assert wording("planning", "arm_unsure", "de") in unescape(refused.text)
    with unit_of_work(database) as connection:
        assert control.load(connection, site).armed_at is None
    api.post(f"{PAGE}/arm", data={"sure": "true"})
    assert wording_pattern("planning", "control_on").search(read(api, PAGE))
    api.post(f"{PAGE}/disarm")
    with unit_of_work(database) as connection:
        assert control.load(connection, site).armed_at is None


def test_a_device_is_left_alone_until_its_owner_has_it_controlled_again(
    api: httpx.Client, database: Engine, site: str
) -> None:
    api.post(f"{PAGE}/arm", data={"sure": "true"})
    api.post(f"{PAGE}/pause", data={"device": "batteries"})
    with unit_of_work(database) as connection:
        assert control.load(connection, site).paused is not None
    batteries = wording("planning", "override_batteries")
    assert wording("planning", "resume_paused", device=batteries) in read(api, PAGE)
    api.post(f"{PAGE}/resume", data={"device": "batteries"})
    with unit_of_work(database) as connection:
        state = control.load(connection, site)
    assert (state.paused, state.armed_at is not None) == (None, True)


def test_an_override_stands_above_all_and_can_be_ended(
    api: httpx.Client, database: Engine, site: str
) -> None:
    now = SystemClock().now()
    with unit_of_work(database) as connection:
        control_service.override(
            connection,
            site,
            "batteries",
            {"mode": "hold", "until": now + timedelta(hours=1)},
            now=now,
        )
    batteries = wording("planning", "override_batteries")
    assert wording_pattern(
        "planning", "override", mode=wording("modes", "mode_hold"), device=batteries
    ).search(read(api, PAGE))
    api.post(f"{PAGE}/resume", data={"device": "batteries"})
    assert not wording_pattern("planning", "override").search(read(api, PAGE))


def test_heat_begins_now_for_as_long_as_asked(
    api: httpx.Client, database: Engine, site: str
) -> None:
    assert api.post(f"{PAGE}/heat", data={"device": "boiler", "hours": "2"}).status_code == 303
    with unit_of_work(database) as connection:
        (block,) = manual_blocks.read_standing(connection, site, first=SystemClock().now())
    assert (block.device, block.action, block.to - block.from_) == (
        "boiler",
        "on",
        timedelta(hours=2),
    )


def test_a_vacation_begins_and_ends_by_a_button(api: httpx.Client, site: str) -> None:
    api.post(f"{PAGE}/vacation", data={"on": "true"})
    assert wording("planning", "vacation_on") in read(api, PAGE)
    api.post(f"{PAGE}/vacation", data={"on": "false"})
    assert wording("planning", "vacation_off") in read(api, PAGE)


def test_a_departure_is_planned_for_and_can_be_taken_back_and_put_back(
    api: httpx.Client, database: Engine, site: str
) -> None:
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished("planned", control=describe()))
    first = floor_to(SystemClock().now(), SLOT) + timedelta(hours=1)
    fields = {
        "vehicle": "car",
        "from": first.isoformat(),
        "to": (first + timedelta(hours=9)).isoformat(),
        "target": "80",
        "arrival": "",
    }
    assert wording("planning", "sessions_empty") in read(api, PAGE)
    unknown = api.post(f"{PAGE}/sessions", data=fields)
    assert unknown.status_code == 422
    assert wording("refusals", "sentence_arrival-unknown") in unescape(unknown.text)
    assert api.post(f"{PAGE}/sessions", data=fields | {"arrival": "40"}).status_code == 303
    assert "Car: 80% by" in read(api, PAGE)
    assert "Auto: 80 % bis" in read(api, PAGE, "de")
    with unit_of_work(database) as connection:
        (session,) = charging_sessions.read_standing(connection, site, first=first)
    assert (session.target_soc, session.arrival_soc) == (0.8, 0.4)
    taken = api.post(f"{PAGE}/sessions/{session.session_id}/take-back")
    session_said = re.compile("Car: 80% by .+?")
    assert wording_pattern("planning", "taken_back", what=session_said).search(
        read(api, taken.headers["Location"])
    )
    assert api.post(f"{PAGE}/sessions", data=fields | {"arrival": "140"}).status_code == 422


def test_a_departure_repeats_every_week_where_days_are_ticked(
    api: httpx.Client, database: Engine, site: str
) -> None:
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished("planned", control=describe()))
    first = floor_to(SystemClock().now(), SLOT) + timedelta(hours=1)
    fields = {
        "vehicle": "car",
        "from": first.isoformat(),
        "to": (first + timedelta(hours=9)).isoformat(),
        "target": "80",
        "arrival": "40",
    }
    assert (
        api.post(
            f"{PAGE}/sessions", data=fields | {"days": ["fri", "mon", "tue", "wed", "thu"]}
        ).status_code
        == 303
    )
    assert "Car: 80% by Mon–Fri" in read(api, PAGE)
    assert "Auto: 80 % bis Mo.–Fr." in read(api, PAGE, "de")
    assert api.post(f"{PAGE}/sessions", data=fields | {"days": ["someday"]}).status_code == 422


@pytest.fixture
def weekly(database: Engine) -> Iterator[str]:
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished("weekly"))
    yield "weekly"
    with unit_of_work(database) as connection:
        forget_furnished(connection, "weekly")


@pytest.mark.parametrize(
    "age", [timedelta(hours=-1), timedelta(days=9)], ids=["before its first time", "after it"]
)
def test_a_weekly_departure_that_was_taken_back_is_put_back_for_every_week(
    api: httpx.Client, database: Engine, weekly: str, age: timedelta
) -> None:
    page = f"/ui/sites/{weekly}/planning"
    first = floor_to(SystemClock().now(), SLOT) - age
    wanted = {
        "vehicle": "car",
        "from": first,
        "to": first + timedelta(hours=9),
        "days": ["mon", "fri"],
        "target_soc": 0.8,
        "arrival_soc": 0.4,
    }
    with unit_of_work(database) as connection:
        session = charging_sessions.add(
            connection, weekly, NewSession.model_validate(wanted), by="anna", now=first
        )
    taken_back = api.get(
        api.post(f"{page}/sessions/{session.session_id}/take-back").headers["Location"]
    ).text
    (form,) = re.findall(
        rf'<form class="notice good row" method="post" action="{page}/sessions".*?</form>',
        taken_back,
        re.DOTALL,
    )
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(\w+)" value="(.*?)"', form):
        fields.setdefault(name, []).append(unescape(value))
    assert api.post(f"{page}/sessions", data=fields).status_code == 303
    with unit_of_work(database) as connection:
        (again,) = charging_sessions.read_standing(connection, weekly, first=SystemClock().now())
    assert (again.from_, again.to, again.days) == (session.from_, session.to, ["mon", "fri"])
    assert again.target_soc == pytest.approx(0.8)


def test_home_and_planning_say_who_charges_how_much_at_which_cost_and_when_it_is_ready(
    api: httpx.Client, database: Engine, site: str
) -> None:
    now = SystemClock().now()
    first = floor_to(now, SLOT)
    fields = {
        "vehicle": "car",
        "from": first.isoformat(),
        "to": (first + timedelta(hours=9)).isoformat(),
        "target": "80",
        "arrival": "40",
    }
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished("planned", control=describe()))
    assert api.post(f"{PAGE}/sessions", data=fields).status_code == 303
    with unit_of_work(database) as connection:
        plan_now(connection, sites.load(connection, site), now)
    # 40 % of 50 kWh, with its losses of a tenth: 22.2 kWh at the charger.
    charge = {
        "kwh": re.compile(r"22\.[0-9] kWh"),
        "cost": re.compile(r"€\d\.\d\d"),
        "price": re.compile(r"\d+ ct"),
    }
    planning, home = (
        read(api, path).replace("\xa0", " ").replace("\u202f", " ")
        for path in (PAGE, f"/ui/sites/{site}/home")
    )
    assert wording_pattern("planning", "session_charging", **charge).search(planning), planning
    assert wording_pattern("home", "step_car", name="Car", **charge).search(home)
    assert wording("device_vehicle", "note_vehicle_soc_said", vehicle="Car", soc="40%") in planning


def test_before_arming_a_device_of_luna_s_own_says_what_it_does_without_luna(
    api: httpx.Client, database: Engine, site: str
) -> None:
    via = {"profile": "sunspec_12x", "host": "192.0.2.1"}
    with unit_of_work(database) as connection:
        own = {"by": "profile", "batteries": [{"battery": "battery", "via": via}]}
        sites.save(connection, describe_furnished("planned", vehicles=[], control=own))
    text = read(api, PAGE)
    assert wording("planning", "unattended_reverts", device="battery", seconds=180) in text
    assert (
        "for charging and discharging; every other program that writes to it over Modbus." in text
    )
    assert wording_pattern("planning", "unattended_evidence_maker").search(text)
    assert not wording_pattern("planning", "untried").search(text)
    assert wording("planning", "unattended_reverts", "de", device="battery", seconds=180) in read(
        api, PAGE, "de"
    )
    with unit_of_work(database) as connection:
        control_service.arm(
            connection, site, now=SystemClock().now(), by="anna", data_folder=Path("/nonexistent")
        )
    assert not wording_pattern("planning", "unattended_reverts").search(read(api, PAGE))
    with unit_of_work(database) as connection:
        control.disarm(connection, site)
        sites.save(
            connection,
            describe_furnished(
                "planned",
                vehicles=[],
                control=own
                | {"batteries": [{"battery": "battery", "via": via | {"profile": "gone"}}]},
            ),
        )
    assert wording(
        "planning", "unattended_profile_missing", device="battery", profile="gone"
    ) in read(api, PAGE)


def test_an_untried_device_is_said_to_be_read_alone_and_is_not_armed(
    api: httpx.Client, database: Engine, site: str
) -> None:
    via = {"profile": "goodwe_et", "host": "192.0.2.1"}
    own = {"by": "profile", "batteries": [{"battery": "battery", "via": via}]}
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished("planned", vehicles=[], control=own))
    for language in ("en", "de", "nl"):
        text = read(api, PAGE, language)
        name = say_device("battery", language=language)
        assert wording("planning", "untried", language, device=name) in text
        assert wording_pattern("planning", "unattended_evidence_reported", language).search(text)
    refused = api.post(f"{PAGE}/arm", data={"sure": "true"})
    assert refused.status_code == 409
    assert wording("refusals", "remedy_device-untried") in unescape(refused.text)
    with unit_of_work(database) as connection:
        assert control.load(connection, site).armed_at is None
        control.arm(connection, site, at=SystemClock().now(), by="anna")
    assert wording("planning", "untried_armed", device="Battery") in read(api, PAGE)
    with unit_of_work(database) as connection:
        control.disarm(connection, site)
        device_trials.remember(connection, Via.model_validate(via), at=SystemClock().now())
    assert wording("planning", "untried", device="Battery") not in read(api, PAGE)
    assert api.post(f"{PAGE}/arm", data={"sure": "true"}).status_code == 303


@pytest.mark.usefixtures("site")
def test_before_arming_a_device_that_stays_in_some_modes_says_in_which(
    api: httpx.Client, database: Engine
) -> None:
    own = {
        "by": "profile",
        "batteries": [
            {"battery": "battery", "via": {"profile": "huawei_sun2000", "host": "192.0.2.1"}}
        ],
        "vehicles": [{"vehicle": "car", "via": {"profile": "ocpp_generic", "host": "CP-1"}}],
    }
    car = {"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11, "charger": {"phases": [3]}}
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished("planned", vehicles=[car], control=own))
    text = read(api, PAGE)
    stays_in = ("save", "supply", "hold")
    modes = ", ".join(wording("modes", f"mode_{name}") for name in stays_in)
    assert wording("planning", "unattended_reverts", device="battery", seconds=900) in text
    assert wording("planning", "unattended_stays", modes=modes) in text
    safe = {"device": "car", "ampere": "6", "minutes": 30}
    assert wording("planning", "unattended_safe_current", **safe) in text


def test_a_profile_that_there_is_not_is_refused_where_a_site_is_stored(api: httpx.Client) -> None:
    own: dict[str, Any] = {
        "by": "profile",
        "batteries": [{"battery": "battery", "via": {"profile": "gone", "host": "192.0.2.1"}}],
    }
    answer = api.post(
        "/v1/sites",
        json=describe_furnished("profiled", vehicles=[], control=own).model_dump(
            mode="json", by_alias=True
        ),
    )
    assert (answer.status_code, answer.json()["reason"]) == (422, "unknown-name")
    assert "eastron_sdm630" in answer.json()["remedy"]
    own = {
        "by": "profile",
        "batteries": [
            {"battery": "battery", "via": {"profile": "eastron_sdm630", "host": "192.0.2.1"}}
        ],
    }
    answer = api.post(
        "/v1/sites",
        json=describe_furnished("profiled", vehicles=[], control=own).model_dump(
            mode="json", by_alias=True
        ),
    )
    assert (answer.status_code, answer.json()["reason"]) == (422, "profile-not-commanded")


def test_a_reading_that_does_not_count_is_named_with_its_cause_in_the_result_of_a_trial(
    api: httpx.Client, database: Engine, site: str
) -> None:
    section = {
        "by": "profile",
        "batteries": [
            {
                "battery": "battery",
                "via": {"profile": "sunspec_12x", "host": "127.0.0.1", "port": 1},
            }
        ],
    }
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished(site, vehicles=[], control=section))
    address = api.post(f"{PAGE}/try").headers["Location"]
    fault = UnknownReading(reading="charge_w", cause="contradicts", value=1500, unit="W")
    move = BatteryMove(
        mode="charge",
        outcome="unknown",
        is_right=False,
        power_w=None,
        seconds=30,
        implausible=[fault],
    )
    reply = BatteryTrials(batteries={"battery": BatteryTrial(moves=[move])}).model_dump_json()
    job_id = address.partition("?tried=")[2].partition("#")[0]
    with unit_of_work(database) as connection:
        jobs.finish(connection, jobs.begin(connection, job_id), status="done", reply=reply)
    page = read(api, address)
    assert '<div class="notice stack bad" id="tried"' in api.get(address).text
    assert TRIAL.say("charge_unknown", "en") in page
    said = say_implausible("charge_w", "contradicts", 1500, unit="W", language="en")
    assert said.replace("\u00a0", " ") in page


def test_a_charger_is_only_read_until_it_was_tried_and_its_trial_is_told(
    api: httpx.Client, database: Engine, site: str
) -> None:
    via = {"profile": "keba_p30", "host": "192.0.2.1"}
    own = {"by": "profile", "vehicles": [{"vehicle": "car", "via": via}]}
    car = {"name": "car", "capacity_kwh": 60, "charger": {"phases": [3]}}
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished(site, vehicles=[car], control=own))
    text = read(api, PAGE)
    assert wording("planning", "untried", device="Car") in text
    assert wording("planning", "unattended_falls_back", device="car", seconds=120) in text
    assert wording("every_page", "try_device_lead") in text
    assert api.post(f"{PAGE}/arm", data={"sure": "true"}).status_code == 409
    address = api.post(f"{PAGE}/try").headers["Location"]
    move = BatteryMove(mode="charge", outcome="right", is_right=True, power_w=4140, seconds=20)
    reply = BatteryTrials(batteries={"vehicle:car": BatteryTrial(moves=[move])}).model_dump_json()
    job_id = address.partition("?tried=")[2].partition("#")[0]
    with unit_of_work(database) as connection:
        jobs.finish(connection, jobs.begin(connection, job_id), status="done", reply=reply)
    page = read(api, address)
    said = format_command_trial("charge", "right", power_w=4140, language="en")
    assert said.replace("\u00a0", " ") in page
    assert COMMAND_TRIAL.say("ended", "en") in page


def test_a_roof_is_tried_by_half_and_its_trial_is_told(
    api: httpx.Client, database: Engine, site: str
) -> None:
    via = {"profile": "sunspec_inverter", "host": "192.0.2.1"}
    own = {"by": "profile", "pv": {"via": via}}
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished(site, vehicles=[], control=own))
    text = read(api, PAGE)
    assert wording("every_page", "try_solar_lead") in text
    assert wording("every_page", "try_device_lead") not in text
    address = api.post(f"{PAGE}/try").headers["Location"]
    move = BatteryMove(mode="limit", outcome="too_much", is_right=False, power_w=3900, seconds=60)
    reply = BatteryTrials(batteries={"pv": BatteryTrial(moves=[move])}).model_dump_json()
    job_id = address.partition("?tried=")[2].partition("#")[0]
    with unit_of_work(database) as connection:
        jobs.finish(connection, jobs.begin(connection, job_id), status="done", reply=reply)
    page = read(api, address)
    said = format_command_trial("limit", "too_much", power_w=3900, language="en")
    assert said.replace("\u00a0", " ") in page


def test_a_battery_is_tried_before_it_is_armed_and_never_after(
    api: httpx.Client,
    database: Engine,
    site: str,
    redis_url: str,
    database_url: str,
    tmp_path: Path,
) -> None:
    # Nobody is at that port of this machine: it is refused at once.
    section = {
        "by": "profile",
        "batteries": [
            {
                "battery": "battery",
                "via": {"profile": "sunspec_12x", "host": "127.0.0.1", "port": 1},
            }
        ],
    }
    with unit_of_work(database) as connection:
        sites.save(connection, describe_furnished(site, vehicles=[], control=section))
    assert wording("every_page", "try_battery") in read(api, PAGE)
    address = api.post(f"{PAGE}/try").headers["Location"]
    assert wording("every_page", "trying_battery") in read(api, address)
    with worker_process(redis_url, database_url, "services.ingest.tasks", data_folder=tmp_path):
        wait_for(lambda: '<div class="notice stack bad" id="tried"' in api.get(address).text)
    assert wording("refusals", "sentence_device-silent") in read(api, address)
    # Of another site's page it is none.
    assert 'id="tried"' not in api.get(address.replace("/planned/", "/bare/")).text
    with unit_of_work(database) as connection:
        control.arm(connection, site, at=SystemClock().now(), by="test")
    assert wording("every_page", "try_battery") not in read(api, PAGE)
    assert api.post(f"{PAGE}/try").status_code == 409


TAX = {"kind": "fixed", "name": "tax", "price": 2.05, "unit": "cents_per_kwh", "vat": 0.19}
FEE = {
    "kind": "calendar",
    "name": "grid fee",
    "price": 11.3,
    "windows": [{"from": "22:00", "to": "06:00", "price": 1.1}],
    "unit": "cents_per_kwh",
}
REFUND = {"kind": "fixed", "name": "refund", "price": -4.0, "unit": "cents_per_kwh"}


def with_parts(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"import": {"kind": "components", "components": list(parts)}}


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_what_a_kwh_is_made_of_is_drawn_named_and_a_table(
    api: httpx.Client, database: Engine, language: Language
) -> None:
    with stored_site(database, name="parts", tariff=with_parts(TAX, FEE, REFUND)):
        address = "/ui/sites/parts/planning"
        page = api.get(address, headers={"Accept-Language": language}).text
    assert wording("planning", "parts_title", language) in unescape(page)
    _, _, shown = page.partition('id="price-parts"')
    charts = re.findall(r'<svg class="chart parts (wide|narrow)".*?</svg>', shown, re.DOTALL)
    assert charts == ["wide", "narrow"]
    numbers = Numbers(language, ZONE, "EUR")
    # 2.05 with VAT, and what is paid back.
    assert f"tax {numbers.price(0.024395, decimals=1)}" in unescape(shown)
    assert f"refund {numbers.price(-0.04, decimals=1)}" in unescape(shown)
    _, _, body = shown.partition("<tbody>")
    rows = re.findall(r"<tr>.*?</tr>", body.partition("</tbody>")[0], re.DOTALL)
    today = SystemClock().now().astimezone(ZONE).date()
    hours = local_days(today, today + timedelta(days=1), ZONE).count // 4
    assert len(rows) == hours
    cells = re.findall(r'<td class="number">(.*?)</td>', unescape(rows[12]))
    parts = (0.024395, 0.113, -0.04, 0.024395 + 0.113 - 0.04)
    assert cells == [numbers.price(price, decimals=1) for price in parts]


TIERS = {
    "kind": "blocks",
    "name": "energy",
    "blocks": [{"up_to_kwh": 100, "price": 0.2}, {"price": 0.3}],
}
CAP = {"kind": "allowance", "name": "day", "kwh_per_day": 9, "price": 0, "price_beyond": 0.1}


@pytest.mark.parametrize(
    ("parts", "notes"),
    [
        ([FEE, TIERS], {"parts_blocks"}),
        ([FEE, CAP], {"parts_allowance"}),
        ([FEE, TIERS, CAP], {"parts_blocks", "parts_allowance"}),
        ([FEE, TAX, TIERS | {"valid_to": "2024-01-01"}], set()),
    ],
    ids=["blocks", "allowance", "both", "over"],
)
def test_a_price_that_rises_with_use_says_so(
    api: httpx.Client, database: Engine, parts: list[dict[str, Any]], notes: set[str]
) -> None:
    with stored_site(database, name="parts", tariff=with_parts(*parts)):
        page = unescape(api.get("/ui/sites/parts/planning").text)
    _, _, shown = page.partition('id="price-parts"')
    codes = {"parts_blocks", "parts_allowance"}
    assert {code for code in codes if wording("planning", code) in shown} == notes


@pytest.mark.parametrize(
    "tariff",
    [
        with_parts(FEE),
        {"import": {"kind": "fixed", "price": 0.3}},
        {"import": {"kind": "spot", "market": "NOWHERE", "vat": 0.21}},
    ],
    ids=["one component", "one price", "the market alone"],
)
def test_a_price_of_one_part_is_not_taken_apart(
    api: httpx.Client, database: Engine, tariff: dict[str, Any]
) -> None:
    with stored_site(database, name="parts", tariff=tariff):
        assert wording("planning", "parts_title") not in read(api, "/ui/sites/parts/planning")


def test_hours_without_a_published_price_are_hatched(api: httpx.Client, database: Engine) -> None:
    tariff = {"import": {"kind": "spot", "market": "NOWHERE", "markup": 0.02, "vat": 0.25}}
    with stored_site(database, name="parts", tariff=tariff):
        page = api.get("/ui/sites/parts/planning").text
    _, _, shown = page.partition('id="price-parts"')
    assert f"{wording('flows', 'line_spot')} \u2013" in shown
    assert f"{wording('flows', 'line_markup')} 2.5\u00a0ct" in unescape(shown)
    assert wording("planning", "parts_unknown") in shown
    # One run over both days in each chart.
    assert shown.count('class="left-out"') == 2
