"""What Home says of a plan: now, next, why, and until when something else may be done."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from luna.contracts.control import BatterySetpoint, ControlState, Decision
from luna.contracts.plan import NoteReply, PlanReply
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, floor_to
from luna.house.findings import (
    FindingCode,
    SiteFinding,
    find_doubted_levels,
    find_doubted_prices,
)
from luna.house.now import HouseFigure, format_run
from luna.house.statements import format_statement, state_house
from luna.words import Language, list_reason_codes
from luna.words.messages import say_message
from luna.words.notes import say_note
from luna.words.pages import page_words
from services.api.pages.home_notices import list_doubts, list_notices
from services.api.pages.home_slots import view_sheet
from services.api.pages.home_view import HomeView
from services.api.timeline.window import open_window
from tests.support.control.house import house_of
from tests.support.planning.plans import FLOWS, describe_plan
from tests.support.words.wording import wording

# A Wednesday, 16:37 by the clock of the site; the slot that runs began at 16:30.
NOW = datetime.fromisoformat("2026-05-20T16:37:00+02:00")
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
SITE = parse_site({"name": "home", "timezone": "Europe/Amsterdam", "batteries": [BATTERY]})


def view_of(*runs: tuple[str, int, float], language: Language = "en") -> HomeView:
    """Home where these runs follow on each other from now on: mode, slots, and what the battery
    moves in each, kW; the last one lasts to the end.
    """
    window = open_window(SITE, now=NOW, language=language)
    count = window.timeline.count
    past = window.past
    modes: list[str | None] = ["save"] * past
    moved = [0.0] * past
    for mode, slots, power_kw in runs:
        modes += [mode] * slots
        moved += [power_kw] * slots
    modes += [modes[-1]] * (count - len(modes))
    moved += [0.0] * (count - len(moved))
    start = window.timeline.start
    slots = []
    for place in range(past, count):
        mode = modes[place]
        kwh = moved[place] / 4
        flows = {"charge": {"charge_kwh": kwh}, "export": {"discharge_kwh": kwh}}.get(
            str(mode), {"discharge_kwh": kwh}
        )
        battery = {"battery": {"charge_kwh": 0, "discharge_kwh": 0, "soc_end": 0.5} | flows}
        prices = {
            "import_price": 0.3,
            "export_price": 0.2,
            "export_kwh": kwh if mode == "export" else 0.0,
        }
        reason = {"code": "unknown", "text": f"Because of {mode}."}
        slots.append(
            FLOWS
            | {"start": start + place * SLOT, "mode": mode, "reason": reason, "batteries": battery}
            | prices
        )
    whole = describe_plan("p", start + past * SLOT, [])
    plan = PlanReply.model_validate(whole.model_dump() | {"slots": slots})
    decisions: dict[str, list[Any]] = {
        **{
            name: [None] * count
            for name in (
                "energy_value",
                "keep_from_price",
                "keep_to_price",
                "price_rank",
                "price_count",
                "binding",
                "cost_of_opposite",
            )
        },
        "mode": modes,
        "code": ["unknown"] * count,
        "figures": [{} for _ in range(count)],
        "decided_by": ["planner"] * count,
        "text": [f"Because of {mode}." for mode in modes],
    }
    document = {
        "plan": {"covers_now": True},
        "decisions": decisions,
        "prices": {"import": np.full(count, 0.3), "export": np.full(count, 0.2)},
        "measured": {"soc": np.full(count, 0.5)},
        "reserve_soc": np.full(count, 0.1),
    }
    return HomeView(window, document, page_words("home", language), house_of(SITE, plan, NOW))


def headline(now: str, following: str, t: str, language: Language = "en") -> str:
    """What Home says of a mode of now, and of the one that follows from ``t`` on."""
    until = f" {wording('home', 'until_time', language, t=t)}"
    battery = wording("home", "battery_subject", language)
    first = wording("home", f"now_{now}", language, name=battery, until=until)
    second = wording("home", f"next_{following}", language)
    return wording("home", "headline_then", language, now=first, next=second)


def proposal(now: str, following: str, t: str, language: Language = "en") -> str:
    """What Home says that Luna would do now, and from ``t`` on."""
    until = f" {wording('home', 'until_time', language, t=t)}"
    first = wording("home", f"would_{now}", language, until=until)
    second = wording("home", f"would_{following}", language, until="")
    said = wording("home", "would_then", language, now=first, next=second)
    return said[:1].upper() + said[1:]


def test_something_else_lasts_to_the_end_of_the_run() -> None:
    sheet = view_sheet(
        view_of(("self_consumption", 5, 0.0), ("export", 4, 4.0), ("save", 4, 0.0)), 96
    )
    assert sheet is not None
    # 16:30 and five quarter-hours.
    assert [end.label for end in sheet.ends] == ["17:45", "18:45", "20:30", "tomorrow 00:00"]


def test_something_else_lasts_four_hours_at_most_where_the_run_goes_on_for_days() -> None:
    sheet = view_sheet(view_of(("self_consumption", 1, 0.0)), 96)
    assert sheet is not None
    assert [end.label for end in sheet.ends] == ["20:30", "17:45", "18:45", "tomorrow 00:00"]
    assert datetime.fromisoformat(sheet.ends[0].until) - NOW <= timedelta(hours=4)
    assert all(
        datetime.fromisoformat(end.until).timestamp() % SLOT.total_seconds() == 0
        for end in sheet.ends
    )


@pytest.mark.parametrize(
    ("rank", "end", "place"),
    [
        (2, "cheap", "2nd"),
        (3, "cheap", "3rd"),
        (4, "cheap", "4th"),
        (11, "cheap", "11th"),
        (21, "cheap", "21st"),
        (119, "dear", "2nd"),
        (109, "dear", "12th"),
    ],
)
def test_the_sheet_compares_the_price_the_alternative_and_the_worth(
    rank: int, end: str, place: str
) -> None:
    view = view_of(("self_consumption", 4, 0.0), ("export", 4, 4.0), ("save", 4, 0.0))
    decided = view.document["decisions"]
    reserve = wording("battery_reasons", "limit_reserve")
    slot = view.window.past
    decided["price_rank"][slot], decided["price_count"][slot] = rank, 120
    decided["cost_of_opposite"][slot] = 0.001
    decided["cost_of_opposite"][slot + 1] = 0.12
    decided["energy_value"][slot] = 0.24
    decided["energy_value"][slot + 4] = 0.06
    decided["binding"][slot] = [reserve, "another"]
    sheet, next_sheet = view_sheet(view, slot), view_sheet(view, slot + 1)
    assert sheet is not None
    assert next_sheet is not None
    assert sheet.worth == wording("home", "worth_later", value="24\u00a0ct", now="30\u00a0ct")
    assert next_sheet.worth == ""
    selling_sheet = view_sheet(view, slot + 4)
    assert selling_sheet is not None
    sold = wording("home", "worth_later_sold", value="6\u00a0ct", now="20\u00a0ct")
    assert selling_sheet.worth == sold
    rows = dict(sheet.rows)
    compared = wording("price_reasons", f"rank_{end}", place=place, count=120)
    assert rows[wording("home", "rank")] == compared
    assert rows[wording("home", "opposite")] == wording("home", "opposite_same")
    kept = wording("home", "binding_reserve", soc="10%")
    assert rows[wording("home", "binding")] == f"{kept}, another"
    more = wording("home", "opposite_more", x="€0.12")
    assert dict(next_sheet.rows)[wording("home", "opposite")] == more


@pytest.mark.parametrize(
    ("code", "phrase"),
    [("no_battery", "without_battery"), ("solar_limited", "without_battery_limited")],
)
def test_a_house_without_a_battery_has_a_headline(code: str, phrase: str) -> None:
    assert code in list_reason_codes()
    view = view_of(("save", 4, 0.0))
    site = SITE.model_copy(update={"batteries": []})
    window = open_window(site, now=NOW, language="en")
    view.document["decisions"]["code"][window.past] = code
    house = replace(view.house, site=site)
    home = HomeView(window, view.document, view.words, house)
    assert home.headlines == [wording("home", phrase)]


def test_a_deed_that_moves_next_to_nothing_is_not_told() -> None:
    # A quarter-hour at 0.108 kW is 27 Wh.
    view = view_of(
        ("self_consumption", 4, 0.0),
        ("charge", 1, 0.108),
        ("self_consumption", 4, 0.0),
        ("export", 4, 4.0),
        ("save", 4, 0.0),
    )
    assert view.headline == proposal("self_consumption", "export", "18:45")
    sells = wording("home", "step_export", name="Battery", kwh="4.0\u00a0kWh")
    assert [(step.time, step.text, step.gain) for step in view.steps()] == [
        ("Now – 18:45", wording("home", "step_self_consumption", name="Battery"), ""),
        ("18:45 – 19:45", sells, "+€0.80"),
        ("19:45 – Fri 16:30", wording("home", "step_save", name="Battery"), ""),
    ]
    assert view.selected == 96 + 9


def test_a_battery_that_stands_still_while_sun_is_sold_holds_its_charge() -> None:
    view = view_of(("self_consumption", 1, 0.0), ("supply", 4, 0.0), ("self_consumption", 4, 0.0))
    plan = view.house.planned.plan
    assert plan is not None
    sunny = [
        slot.model_copy(update={"export_kwh": 0.5}) if slot.mode == "supply" else slot
        for slot in plan.slots
    ]
    sold = HomeView(
        view.window,
        view.document,
        view.words,
        house_of(SITE, plan.model_copy(update={"slots": sunny}), NOW),
    )
    follows, holds = (
        wording("home", f"step_{mode}", name="Battery") for mode in ("self_consumption", "hold")
    )
    assert [step.text for step in sold.steps()] == [follows, holds, follows]
    # With nothing to sell it is part of what goes on beside it.
    assert [step.text for step in view.steps()] == [follows]


def armed(view: HomeView, soc: HouseFigure, **setpoint: Any) -> HomeView:
    """The same home where the battery was told something for the slot that runs."""
    told = {"battery": BatterySetpoint.model_validate(setpoint)}
    decision = Decision(
        slot_start=floor_to(NOW, SLOT),
        source="planner",
        decided_by="planner",
        reason="planned",
        requested=told,
        allowed=told,
    )
    state = ControlState(site="home", armed_at=NOW - SLOT, decision=decision)
    house = replace(view.house, states=(state,), planned=replace(view.house.planned, soc=soc))
    return HomeView(view.window, view.document, view.words, house)


def test_what_the_battery_was_told_for_its_charge_is_what_it_is_said_to_do() -> None:
    planned = view_of(("hold", 8, 0.0), ("charge", 4, 4.0))
    view = armed(
        planned,
        HouseFigure(0.6, "measured"),
        mode="self_consumption",
        floor_soc=0.2,
        ceiling_soc=0.9,
    )
    assert view.headline == headline("self_consumption", "charge", "18:30")
    assert view.lead == wording("house", "level_decided")
    # As it was planned, the plan says why; and what moves little is told as long as it is done.
    assert armed(planned, HouseFigure(0.6, "measured"), mode="hold").lead == "Because of hold."
    little = armed(
        view_of(("supply", 1, 0.1), ("save", 8, 0.0)), HouseFigure(0.6, "measured"), mode="supply"
    )
    assert little.headline == headline("supply", "save", "16:45")


@pytest.mark.parametrize(
    ("soc", "setpoint", "code"),
    [
        (0.87, {"mode": "self_consumption", "floor_soc": 0.1, "ceiling_soc": 0.872}, "now_filled"),
        (
            0.80,
            {"mode": "self_consumption", "floor_soc": 0.1, "ceiling_soc": 0.872},
            "now_self_consumption",
        ),
        (0.40, {"mode": "supply", "floor_soc": 0.4}, "now_drained"),
        (0.80, {"mode": "charge", "target_soc": 0.8}, "now_filled"),
        # Its own limit is no decision.
        (
            1.00,
            {"mode": "self_consumption", "floor_soc": 0.1, "ceiling_soc": 1.0},
            "now_self_consumption",
        ),
    ],
)
def test_a_battery_that_has_reached_what_it_was_told_is_said_to_have(
    soc: float, setpoint: dict[str, Any], code: str
) -> None:
    view = armed(view_of(("self_consumption", 4, 0.0)), HouseFigure(soc, "measured"), **setpoint)
    assert view.headline.startswith(wording("home", code, name="Battery", until=""))
    codes = {each.code for each in state_house(view.house, view.numbers)}
    reached = {"now_filled": {"house_filled"}, "now_drained": {"house_drained"}}
    assert codes & {"house_filled", "house_drained"} == reached.get(code, set())


def test_a_level_of_before_is_told_with_its_time_by_home_and_in_answers() -> None:
    view = armed(
        view_of(("self_consumption", 4, 0.0)),
        HouseFigure(0.71, "measured", NOW - timedelta(minutes=5)),
        mode="self_consumption",
    )
    view = HomeView(
        view.window,
        dict(view.document) | {"ghosts": {"without_luna": {"next_day": None}}},
        view.words,
        view.house,
    )
    assert [fact.basis for fact in view.facts() if fact.label == "In the battery"] == [
        "measured 16:32"
    ]
    said = [
        format_statement(each, view.numbers, now=NOW)
        for each in state_house(view.house, view.numbers)
        if each.code.startswith("house_stored")
    ]
    assert said == [wording("house", "house_stored_at", soc="71%", basis="measured", at="16:32")]


@pytest.mark.parametrize(
    ("market", "known_hours_ahead", "codes"),
    # At 16:37 tomorrow's are late from 14:00 on; those of the slot that runs are known where they
    # end after it. The supplier of Agile publishes at 16:00, the Spanish PVPC is out at 20:20, and
    # ComEd's prices are known only afterwards.
    [
        ("DE_LU", -1.0, ["notice_prices_today"]),
        ("DE_LU", 2.0, ["notice_prices"]),
        ("DE_LU", 31.0, []),
        ("GB-AGILE-C", 2.0, []),
        ("ES-PVPC", 2.0, []),
        ("US-COMED", 2.0, []),
    ],
)
def test_prices_that_have_not_come_are_told_today_as_well(
    market: str, known_hours_ahead: float, codes: list[str]
) -> None:
    view = view_of(("save", 4, 0.0))
    tariff = {"import": {"kind": "spot", "market": market}}
    site = SITE.model_copy(
        update={
            "tariff": parse_site(
                {"name": "home", "timezone": "Europe/Amsterdam", "tariff": tariff}
            ).tariff
        }
    )
    window = open_window(site, now=NOW, language="en")
    document = dict(view.document) | {
        "overrides": [],
        "sessions": [],
        "plan": {"covers_now": True},
        "ages_s": {"plan": 60, "measured": 600},
        "prices": {"known_slots": window.past + round(known_hours_ahead * 4)},
    }
    home = HomeView(window, document, view.words, replace(view.house, site=site))
    assert [notice.title for notice in list_notices(home, timedelta(hours=1))] == [
        wording("home", code) for code in codes
    ]


@pytest.mark.parametrize(
    ("code", "language"),
    [("plan_compromised", "en"), ("plan_unproven", "en"), ("plan_unproven", "de")],
)
def test_what_a_plan_had_no_time_to_find_is_not_told_as_what_cannot_be_had(
    code: FindingCode, language: Language
) -> None:
    view = view_of(("save", 4, 0.0), language=language)
    missed = [{"code": "", "constraint": "car", "shortfall": "2 kWh", "figures": {}}]
    document = dict(view.document) | {
        "overrides": [],
        "sessions": [],
        "ages_s": {"plan": 60, "measured": 600},
        "prices": {"known_slots": 999},
    }
    house = replace(view.house, findings=(SiteFinding(code, "car", {"missed": missed}),))
    notices = list_notices(HomeView(view.window, document, view.words, house), timedelta(hours=1))
    said = f"{wording('messages', f'title_{code}', language)}."
    assert [(notice.title, notice.more.endswith(" car: 2 kWh.")) for notice in notices] == [
        (said, True)
    ]


def test_steps_name_the_day_as_soon_as_it_is_another_one() -> None:
    view = view_of(
        ("save", 52, 0.0),
        ("charge", 8, 4.0),
        ("save", 26, 0.0),
        ("supply", 4, 1.0),
        ("save", 4, 0.0),
        language="de",
    )
    # 52 quarter-hours after 16:30 it is 05:30.
    assert [step.time for step in view.steps()] == [
        "Jetzt – morgen 05:30",
        "Morgen 05:30 – 07:30",
        "Morgen 07:30 – 14:00",
        "Morgen 14:00 – 15:00",
    ]
    assert view.headline == proposal("save", "charge", "morgen 05:30", "de")


def test_the_sentence_below_the_headline_is_that_of_what_is_done_now() -> None:
    view = view_of(("self_consumption", 4, 0.0), ("export", 4, 4.0), ("save", 4, 0.0))
    assert view.headline == proposal("self_consumption", "export", "17:30")
    assert view.lead == "Because of self_consumption."
    # What is done now and moves next to nothing is not spoken of, nor is why.
    assert (
        view_of(("charge", 1, 0.108), ("self_consumption", 4, 0.0)).lead
        == "Because of self_consumption."
    )


def test_of_several_reasons_the_one_that_holds_now_stands_below_the_headline() -> None:
    view = view_of(("supply", 4, 1.0), ("save", 4, 0.0))
    plan = view.house.planned.plan
    assert plan is not None
    slots = [slot.model_dump() for slot in plan.slots]
    # More is given in the quarter-hour after the next, for a reason of its own.
    slots[2] |= {
        "reason": {"code": "unknown", "text": "Because of the evening."},
        "batteries": {"battery": {"charge_kwh": 0, "discharge_kwh": 1.2, "soc_end": 0.5}},
    }
    other = PlanReply.model_validate(plan.model_dump() | {"slots": slots})
    assert (
        HomeView(view.window, view.document, view.words, house_of(SITE, other, NOW)).lead
        == "Because of supply."
    )
    # An hour before, nothing of the run was done yet: what moves most stands for it.
    run = house_of(SITE, other, NOW).runs[0]
    assert format_run(run, view.numbers, now=NOW - timedelta(hours=1)) == "Because of the evening."


@pytest.mark.parametrize(("language", "battery"), [("en", "Battery"), ("de", "Batterie")])
def test_what_the_plan_has_for_a_battery_that_does_not_answer_is_not_told_as_what_it_does(
    language: Language, battery: str
) -> None:
    view = view_of(("charge", 4, 3.0), ("save", 4, 0.0), language=language)
    silence = wording("home", "now_silent", language, name=battery)
    assert silence not in view.headline
    silent = SiteFinding(
        "device_silent", "batteries", {"device": "batteries", "at": view.window.running}
    )
    house = house_of(SITE, view.house.planned.plan, NOW, findings=(silent,))
    silenced = HomeView(view.window, view.document, view.words, house)
    subject = wording("home", "battery_subject", language)
    assert silenced.headline == wording("home", "now_silent", language, name=subject)
    assert silenced.lead == view.words("lead_left_alone")
    said = [
        format_statement(each, view.numbers, now=NOW) for each in state_house(house, view.numbers)
    ]
    statement = wording("house", "house_silent", language, device=battery, at="16:30")
    assert said.index(statement) < next(
        place for place, sentence in enumerate(said) if sentence.startswith(("Now", "Jetzt"))
    )


@pytest.mark.parametrize(
    ("code", "now", "statement"),
    [
        ("device_disobeys", "now_disobeys", "house_disobeys"),
        ("device_spared", "now_spared", "house_spared"),
        ("device_kept", "now_kept", "house_kept"),
    ],
)
def test_what_the_plan_has_for_a_battery_that_does_something_else_is_not_told_as_what_it_does(
    code: FindingCode, now: str, statement: str
) -> None:
    view = view_of(("charge", 4, 3.0), ("save", 4, 0.0))
    found = SiteFinding(
        code,
        "batteries",
        {"device": "batteries", "at": view.window.running, "until": view.window.running},
    )
    house = house_of(SITE, view.house.planned.plan, NOW, findings=(found,))
    told = HomeView(view.window, view.document, view.words, house)
    assert told.headline == wording("home", now, name="Battery")
    said = [
        format_statement(each, view.numbers, now=NOW) for each in state_house(house, view.numbers)
    ]
    assert wording("house", statement, device="Battery", at="16:30") in said


def test_since_when_the_house_is_not_known_is_told_once_two_quarter_hours_are_missing() -> None:
    view = view_of(("save", 4, 0.0), language="de")
    # It is 16:37; the meters of 15:45 to 16:00 spoke last, and then those of the quarter-hour
    # before.
    for minutes, told in ((0, []), (-15, [wording("house", "house_unknown", "de", at="15:45")])):
        until = NOW.replace(hour=16, minute=0) + timedelta(minutes=minutes)
        house = replace(view.house, planned=replace(view.house.planned, measured_until=until))
        assert [
            format_statement(each, view.numbers, now=NOW)
            for each in state_house(house, view.numbers)
            if each.code == "house_unknown"
        ] == told


def test_what_is_said_and_not_believed_is_a_question_to_the_reader() -> None:
    view = view_of(("save", 4, 0.0), language="de")
    doubt = {
        "soc": 0.43,
        "at": "2026-05-20T14:15:00+00:00",
        "doubted_soc": 0.0,
        "doubted_at": "2026-05-20T14:30:00+00:00",
    }
    plan = view.house.planned.plan
    assert plan is not None
    doubted = plan.model_copy(
        update={"notes": [NoteReply(code="soc_doubted", text="", figures=doubt)]}
    )
    (notice,) = list_doubts(
        HomeView(view.window, view.document, view.words, house_of(SITE, doubted, NOW))
    )
    doubted_figures = {
        "doubted_at": "Mi. 16:30",
        "doubted_soc": "0 %",
        "soc": "43 %",
        "at": "Mi. 16:15",
    }
    assert notice.title.replace("\u00a0", " ") == wording(
        "notes", "note_soc_doubted", "de", **doubted_figures
    )


def test_several_batteries_that_do_not_answer_are_read_of_by_their_names() -> None:
    view = view_of(("charge", 4, 3.0), ("save", 4, 0.0))
    figures = {
        "device": "batteries",
        "batteries": ["cellar", "garage"],
        "at": view.window.running,
        "until": view.window.running,
    }
    house = house_of(
        SITE,
        view.house.planned.plan,
        NOW,
        findings=(SiteFinding("device_silent", "batteries", figures),),
    )
    said = [
        format_statement(each, view.numbers, now=NOW) for each in state_house(house, view.numbers)
    ]
    assert wording("house", "house_silent", device="cellar, garage", at="16:30") in said
    assert (
        "cellar, garage"
        in say_message("device_silent", figures, site="home", numbers=view.numbers).text
    )


STANDS = {
    "vehicle": "car",
    "soc": 0.795,
    "sensor_soc": 0.3,
    "since": "2026-05-20T10:00:00+00:00",
    "metered_kwh": 33.0,
    "at": "2026-05-20T14:30:00+00:00",
}
TAKES_NOTHING = {"vehicle": "car", "since": "2026-05-20T10:00:00+00:00", "planned_kwh": 22.0}


@pytest.mark.parametrize(
    ("code", "figures", "finding"),
    [
        ("vehicle_soc_stands_still", STANDS, "level_doubted"),
        ("vehicle_takes_nothing", TAKES_NOTHING, "device_takes_nothing"),
    ],
)
def test_what_is_the_matter_with_a_car_s_charge_is_said_on_every_surface(
    code: str, figures: dict[str, Any], finding: str
) -> None:
    view = view_of(("save", 4, 0.0), language="de")
    plan = view.house.planned.plan
    assert plan is not None
    noted = plan.model_copy(update={"notes": [NoteReply(code=code, text="", figures=figures)]})
    found = find_doubted_levels(noted)
    assert [each.code for each in found] == [finding]
    house = house_of(SITE, noted, NOW, findings=tuple(found))
    sentence = say_note(code, figures, view.numbers)
    (notice,) = list_doubts(HomeView(view.window, view.document, view.words, house))
    said = [
        format_statement(each, view.numbers, now=NOW) for each in state_house(house, view.numbers)
    ]
    message = say_message(finding, found[0].figures, site="home", numbers=view.numbers)
    assert (notice.title, notice.more) == (sentence, "")
    assert sentence in said
    assert message.text.endswith(sentence)


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_an_absurd_price_is_planned_with_and_said_on_the_page(language: Language) -> None:
    view = view_of(("save", 4, 0.0), language=language)
    plan = view.house.planned.plan
    assert plan is not None
    figures = {
        "series": ["import_price"],
        "price": 30.0,
        "at": "2026-05-20T14:30:00+00:00",
        "known_price": 6.0,
    }
    note = NoteReply(code="price_beyond_markets", text="", figures=figures)
    noted = plan.model_copy(update={"notes": [note]})
    document = dict(view.document) | {
        "overrides": [],
        "sessions": [],
        "ages_s": {"plan": 60, "measured": 600},
        "prices": {"known_slots": 999},
    }
    house = replace(view.house, findings=tuple(find_doubted_prices(noted)))
    notices = list_notices(HomeView(view.window, document, view.words, house), timedelta(hours=1))
    title = wording("messages", "title_prices_doubted", language)
    sentence = say_note(note.code, figures, view.numbers)
    assert [(notice.title, notice.more) for notice in notices] == [(f"{title}.", sentence)]
