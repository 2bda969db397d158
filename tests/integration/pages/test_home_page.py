"""Home as the gateway writes it: sentence, notices and states, in both languages, whatever a site
has.
"""

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from sqlalchemy import Connection, Engine, text

from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.forecast import RefreshForecastsRequest
from luna.contracts.plan import PlanReply
from luna.contracts.site_tools import ToolCallRequest
from luna.energy.observations import ESTIMABLE
from luna.energy.site.control import Control
from luna.energy.timeline import SLOT, Timeline, floor_to, parse_instant, parse_zone
from luna.house.now import HouseNow
from luna.house.now_reader import read_house, read_planned
from luna.platform.clock import FixedClock
from luna.platform.database import jobs, observations, plan_causes, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.words import Language, Numbers, list_reason_codes
from luna.words.house import say_basis
from luna.words.pages import page_words
from luna.words.published_names import format_published_name
from services.api.pages.home_slots import view_sheet, write_csv
from services.api.pages.home_view import HomeView
from services.api.pages.layout import NAVIGATION
from services.api.timeline.build import build_timeline
from services.api.timeline.memory import PlanMemory
from services.api.timeline.window import open_window
from services.home_assistant.entities import list_entities, numbers_of
from services.planner.service.fleet import plan_sites
from services.rag.tools.registry import call_tool
from tests.support.database.databases import remove_site
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, stored_site
from tests.support.gateway.server import serve
from tests.support.pages.demo_home import NOW, DemoHome, store_demo_home
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording, wording_pattern

HOME = "/ui/sites/shown/home"
EVENTS = "/ui/sites/shown/events"
PLAIN = {"vehicles": [], "loads": []}
CLOCK = re.compile(r"\d\d:\d\d")


@pytest.fixture(scope="module")
def servers_of(database_url: str, redis_url: str) -> Addresses:
    return Addresses(database_url=database_url, redis_url=redis_url)


@pytest.fixture(scope="module")
def api(database: Engine, servers_of: Addresses) -> Iterator[httpx.Client]:
    store_demo_home(database, name="shown", **PLAIN)
    with serve(servers_of, FixedClock(NOW)) as client:
        client.headers["Accept-Language"] = "en"
        yield client
    remove_site(database, "shown")


def seen(page: httpx.Response) -> str:
    """The words of a page, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def house_of(connection: Connection) -> HouseNow:
    site = sites.load(connection, "shown")
    return read_house(
        connection, site, read_planned(connection, site, now=NOW), plan_max_age=None, now=NOW
    )


def read_view(database: Engine) -> HomeView:
    with unit_of_work(database) as connection:
        window = open_window(sites.load(connection, "shown"), now=NOW, language="en")
        timeline = build_timeline(connection, window, PlanMemory())
        return HomeView(window, timeline, page_words("home", "en"), house_of(connection))


def test_the_first_sentence_says_what_the_battery_does_and_when_that_changes(
    api: httpx.Client,
) -> None:
    english = api.get(HOME)
    german = api.get(HOME, headers={"Accept-Language": "de"})
    languages: tuple[tuple[Language, httpx.Response], ...] = (("en", english), ("de", german))
    for language, page in languages:
        until = wording_pattern("home", "until_time", language, t=CLOCK).pattern
        now = wording_pattern(
            "home", "would_self_consumption", language, until=re.compile(f" {until}")
        )
        assert re.search(now.pattern, seen(page), re.IGNORECASE)
    assert wording_pattern("home", "fact_cost_note", x=re.compile(r"−?€\d+\.\d\d")).search(
        seen(english)
    )
    assert re.search(rf"{wording('home', 'fact_would_save')} [+−]?€\d+\.\d\d", seen(english))


def test_the_sheet_of_every_coming_slot_has_a_reason_its_prices_and_the_limits_at_work(
    api: httpx.Client, database: Engine
) -> None:
    view = read_view(database)
    window = view.window
    decided = view.document["decisions"]
    prices = view.document["prices"]
    sheets = {slot: view_sheet(view, slot) for slot in range(window.past, window.timeline.count)}
    assert len(sheets) == 192
    for slot, sheet in sheets.items():
        assert sheet is not None
        assert (decided["code"][slot] in list_reason_codes(), sheet.reason.endswith(".")) == (
            True,
            True,
        )
        said = " ".join(text for row in sheet.rows for text in row)
        reserve = wording("battery_reasons", "limit_reserve")
        wanted = [
            *(window.numbers.price(float(prices[name][slot])) for name in ("import", "export")),
            *(text for text in decided["binding"][slot] if text != reserve),
        ]
        if reserve in decided["binding"][slot]:
            soc = window.numbers.share(float(view.document["reserve_soc"][slot]))
            wanted.append(wording("home", "binding_reserve", soc=soc))
        assert bool(sheet.worth) == (decided["energy_value"][slot] is not None)
        assert [fact for fact in wanted if fact not in said] == []
    # As the page shows one of them.
    last = sheets[window.timeline.count - 1]
    assert last is not None
    shown = html.unescape(
        seen(api.get(f"{HOME}/why", params={"at": view.instant(last.slot).isoformat()}))
    )
    assert " ".join(last.reason.split()) in shown


def test_page_home_assistant_and_answers_tell_the_same_of_the_house_and_what_it_rests_on(
    api: httpx.Client, database: Engine
) -> None:
    asked = ToolCallRequest.model_validate(
        {"tool": "house_now", "arguments": {}, "site_id": "shown", "language": "en"}
    )
    with unit_of_work(database) as connection:
        house = house_of(connection)
        answer = call_tool(connection, asked, now=NOW)
    entities = {
        entity.key: entity
        for entity in list_entities(house, numbers_of(house, "en"), commands=False)
    }
    told = {
        key: entity.state(house, numbers_of(house, "en"))
        for key, entity in entities.items()
        if entity.state
    }
    beside = {
        key: entity.attributes(house, numbers_of(house, "en"))
        for key, entity in entities.items()
        if entity.attributes
    }
    page = seen(api.get(HOME))
    saved = house.planned.saved_today
    assert saved is not None
    # The home is not armed: Luna saves nothing, and says what it would save.
    assert told["saved_today"] is None
    basis = say_basis(saved.basis, language="en")
    assert (
        f"{wording('home', 'fact_would_save')} "
        f"{'+' if saved.value >= 0 else '−'}€{abs(saved.value):.2f} {basis}"
    ) in page
    saved_money = f"{'' if saved.value >= 0 else '−'}€{abs(saved.value):.2f}"
    cost_money = f"{'' if told['cost_today'] >= 0 else '−'}€{abs(told['cost_today']):.2f}"
    assert wording("house", "house_would_save_today", saved=saved_money, basis=basis) in answer.text
    assert (
        wording("house", "house_cost_today", cost=cost_money, basis=beside["cost_today"]["basis"])
        in answer.text
    )
    begins = told["next_action_at"].astimezone(parse_zone(house.site.timezone)).strftime("%H:%M")
    sells = wording_pattern("home", "step_export").pattern
    assert re.search(rf"{begins} – \S+ {sells}", page)
    assert beside["next_action"]["reason"] in answer.text
    # Nothing is sent from a site that is not armed.
    assert wording("home", "would") in page
    assert wording("house", "house_would") in answer.text


def test_every_page_is_in_the_navigation_with_an_icon_and_the_flow_says_the_price(
    api: httpx.Client,
) -> None:
    page = api.get(HOME).text
    bar = page.partition("<nav ")[2].partition("</nav>")[0]
    assert [each.name for each in NAVIGATION if f'href="{each.address("shown")}"' not in bar] == []
    assert 'href="/ui/admin"' in bar
    assert bar.count("<svg") == len(re.findall(r"<a\s", bar))
    assert 'class="price-now"' in api.get(f"{HOME}/flow").text


@pytest.mark.usefixtures("api")
def test_the_charge_stays_measured_until_the_quarter_hour_that_has_just_ended_is_built(
    database: Engine,
) -> None:
    with unit_of_work(database) as connection:
        site = sites.load(connection, "shown")
        socs = [read_planned(connection, site, now=NOW + passed * SLOT).soc for passed in range(3)]
    assert [soc and soc.basis for soc in socs] == ["measured", "measured", "planned"]
    assert socs[0] == socs[1] != socs[2]


@each_row("part", ["head", "flow", "why", "table"])
def test_parts_are_no_pages_and_hold_no_script_or_style(api: httpx.Client, part: str) -> None:
    found = api.get(f"{HOME}/{part}", headers={"HX-Request": "true"})
    assert found.status_code == 200
    assert not re.search(r"<html|<script|<style|\sstyle=|\son\w+=", found.text)


def test_a_slot_is_chosen_by_its_instant_and_one_that_is_over_offers_nothing(
    api: httpx.Client,
) -> None:
    past, coming = (
        api.get(f"{HOME}/why", params={"at": at})
        for at in ("2026-05-20T12:00:00+02:00", "2026-05-20T19:30:00+02:00")
    )
    assert re.search(r"12:00 · part of \d\d:\d\d – \d\d:\d\d", seen(past))
    assert "Measured" in seen(past)
    assert "<form" not in past.text
    assert wording("home", "override") in seen(coming)


@each_row("at", ["", "soon", "9999-12-31T23:00:00Z", "2026-05-20T12:00:00 02:00", "<script>"])
def test_an_instant_that_is_none_is_an_error_in_words_or_leads_to_the_edge(
    api: httpx.Client, at: str
) -> None:
    found = api.get(f"{HOME}/why", params={"at": at}, headers={"HX-Request": "true"})
    assert found.status_code in {200, 422}
    assert "<script>" not in found.text


def test_an_owner_overrides_without_a_script_and_takes_it_back(api: httpx.Client) -> None:
    chosen = api.post(
        f"{HOME}/override", data={"mode": "hold", "until": "2026-05-20T18:30:00+02:00"}
    )
    assert (chosen.status_code, chosen.headers["Location"]) == (303, HOME)
    decided = wording("home", "notice_override", mode=wording("modes", "mode_hold"), t="18:30")
    assert f"{decided} {wording('home', 'notice_cannot_send')}" in seen(api.get(HOME))
    assert wording("home", "would") in seen(api.get(HOME))
    assert api.post(f"{HOME}/resume", data={"device": "batteries"}).status_code == 303
    assert not wording_pattern("home", "notice_override").search(seen(api.get(HOME)))


def test_who_is_only_advised_reads_what_to_do_by_hand_and_nothing_of_arming(
    api: httpx.Client, database: Engine
) -> None:
    with unit_of_work(database) as connection:
        site = sites.load(connection, "shown")
        sites.save(connection, site.model_copy(update={"control": Control(by="advice")}))
    try:
        english, german = (
            html.unescape(seen(api.get(HOME, headers={"Accept-Language": language})))
            for language in ("en", "de")
        )
    finally:
        with unit_of_work(database) as connection:
            sites.save(connection, site)
    assert wording_pattern(
        "home", "advice_until", end=CLOCK, deed=wording("home", "deed_self_consumption")
    ).search(english)
    sell = wording_pattern("home", "deed_export", kw=re.compile(r"\d\.\d"), soc=re.compile(r"\d+%"))
    by_hand = wording_pattern("home", "advice_set", deed=sell)
    assert wording_pattern("home", "advice_span", start=CLOCK, end=CLOCK, deed=by_hand).search(
        english
    )
    sell = wording_pattern(
        "home", "deed_export", "de", kw=re.compile(r"\d,\d"), soc=re.compile(r"\d+\s%")
    )
    by_hand = wording_pattern("home", "advice_set", "de", deed=sell)
    assert wording_pattern(
        "home", "advice_span", "de", start=CLOCK, end=CLOCK, deed=by_hand
    ).search(german)
    # Neither that something is to be armed, nor what would be sent.
    for code in ("notice_not_sent", "override_not_armed", "would"):
        assert wording("home", code) not in english


@each_row(
    "wanted",
    [
        {"mode": "explode", "until": "2026-05-20T18:30:00+02:00"},
        {"mode": "hold", "until": "2026-05-20T10:00:00+02:00"},
        {"mode": "hold"},
        {"mode": "hold", "until": "2026-05-20T18:30:00+02:00", "device": "vehicle:none"},
    ],
    ids=["no such mode", "over already", "no end", "no such device"],
)
def test_what_cannot_be_overridden_is_refused_with_a_remedy(
    api: httpx.Client, wanted: dict[str, Any]
) -> None:
    answer = api.post(f"{HOME}/override", data=wanted, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert not wording_pattern("home", "notice_override").search(seen(api.get(HOME)))


def test_the_csv_has_a_row_per_slot_with_the_site_s_offset(api: httpx.Client) -> None:
    rows = list(csv.DictReader(io.StringIO(api.get(f"{HOME}/plan.csv").text)))
    assert len(rows) == 288
    assert rows[-1]["slot_start"] == "2026-05-22T16:15:00+02:00"
    assert rows[37]["measured_load_kw"] == ""
    # How full the battery is to be stands where it trades.
    assert {
        bool(row["planned_target_soc"])
        for row in rows
        if row["mode"] in {"export", "charge"} and row["planned_load_kw"]
    } == {True}
    assert {bool(row["planned_target_soc"]) for row in rows if row["mode"] == "save"} == {False}


def test_what_is_filled_to_a_meters_total_is_said_to_be_estimated_wherever_its_figures_stand(
    api: httpx.Client, database: Engine
) -> None:
    before = api.get("/v1/sites/shown/timeline").json()
    slot = before["past_slots"] - 4
    starts = (
        Timeline(parse_instant(before["start"], field="start"), SLOT, before["slots"])
        .window(slot, 1)
        .starts
    )
    load_kwh = np.array([before["measured"]["load_kw"][slot] / 4])
    with unit_of_work(database) as connection:
        observations.write(
            connection,
            "shown",
            starts,
            {
                "load_kwh": load_kwh,
                "estimated": np.array([1 << ESTIMABLE.index("load_kwh")], dtype=np.int16),
            },
        )
    timeline = api.get("/v1/sites/shown/timeline").json()
    german = api.get(f"{HOME}/table", headers={"Accept-Language": "de"})
    (row,) = [
        each
        for each in csv.DictReader(io.StringIO(api.get(f"{HOME}/plan.csv").text))
        if each["estimated"]
    ]
    (cells,) = [
        each
        for each in re.findall(r"<tr>(.*?)</tr>", german.text, re.DOTALL)
        if "geschätzt" in each and "gemessen" not in each
    ]
    with unit_of_work(database) as connection:
        # Measured, it is an estimate no longer.
        observations.write(connection, "shown", starts, {"load_kwh": load_kwh})
    assert [place for place, names in enumerate(timeline["estimated"]) if names] == [slot]
    assert timeline["estimated"][slot] == ["load_kw"]
    assert (parse_instant(row["slot_start"], field="start"), row["estimated"]) == (
        timeline_instant(timeline, slot),
        "load_kw",
    )
    assert cells.count("≈") == 1
    assert (
        json.loads(html.unescape(re.findall(r'data-words="([^"]+)"', api.get(HOME).text)[0]))[
            "estimated"
        ]
        == "estimated"
    )
    assert api.get("/v1/sites/shown/timeline").json()["estimated"] == [None] * timeline["slots"]


def test_a_charge_that_nobody_measured_is_said_to_be_assumed_wherever_it_stands(
    api: httpx.Client, database: Engine
) -> None:
    battery = {
        "name": "battery",
        "capacity_kwh": 10,
        "min_soc": 0.1,
        "charge_limit_kw": 5,
        "discharge_limit_kw": 5,
    }
    running = floor_to(NOW, SLOT)
    with stored_site(database, name="unsaid", batteries=[battery]):
        with unit_of_work(database) as connection:
            observations.write(
                connection,
                "unsaid",
                Timeline(running - SLOT, SLOT, 1).starts,
                {"load_kwh": np.array([0.1])},
            )
            issue_half_a_kilowatt(connection, "unsaid", running)
            plan_stored(connection, "unsaid", running)
        timeline = api.get("/v1/sites/unsaid/timeline").json()
        page = api.get("/ui/sites/unsaid/home")
        german = seen(api.get("/ui/sites/unsaid/home", headers={"Accept-Language": "de"}))
        rows = list(csv.DictReader(io.StringIO(api.get("/ui/sites/unsaid/home/plan.csv").text)))
        table = api.get("/ui/sites/unsaid/home/table").text
    assert wording_pattern("home", "notice_soc_assumed").search(seen(page))
    assert wording("home", "notice_soc_assumed_unnamed", "de") in german
    # Beside the figure, and in the flow.
    assert re.search(r"In the battery \d\.\d kWh assumed · worth", seen(page))
    assert re.search(r"Battery (\S+ kW · )?\d+% assumed", seen(page))
    assert timeline["plan"]["soc_assumed"] is True
    assert {row["soc_assumed"] for row in rows[: timeline["past_slots"]]} == {"0"}
    assert {row["soc_assumed"] for row in rows[timeline["past_slots"] :]} == {"1"}
    assert "≈" in table
    assert api.get("/v1/sites/shown/timeline").json()["plan"]["soc_assumed"] is False


def timeline_instant(timeline: dict[str, Any], slot: int) -> datetime:
    return parse_instant(timeline["start"], field="start") + slot * SLOT


def test_no_cell_of_a_csv_is_a_formula(database: Engine) -> None:
    view = read_view(database)
    view.document["decisions"]["text"][:4] = ["=1+1", "@x", "-2", None]
    view.document["prices"]["import"][0] = -2.0
    rows = list(csv.DictReader(io.StringIO(write_csv(view))))
    assert [row["text"] for row in rows[:4]] == ["'=1+1", "'@x", "'-2", ""]
    assert rows[0]["import_price"] == "-2.0"


# The clock of the gateway goes on, the recorder and the planner have stopped: four hours later the
# plan of 16:30 is older than three hours.
def test_old_values_late_prices_and_an_old_plan_are_said(
    api: httpx.Client, servers_of: Addresses
) -> None:
    with serve(servers_of, FixedClock(NOW + timedelta(hours=4))) as later:
        found = seen(later.get(HOME, headers={"Accept-Language": "en"}))
        no_plan = (
            f"{wording('home', 'notice_fallback', age='4 h')} "
            f"{wording('home', 'notice_fallback_more')}"
        )
        assert no_plan in found
        assert wording("home", "notice_stale", t="16:30") in found
        assert "4 h old" in found
    with serve(servers_of, FixedClock(NOW + timedelta(hours=60))) as later:
        assert wording("home", "no_plan_now") in seen(
            later.get(HOME, headers={"Accept-Language": "en"})
        )
    with serve(servers_of, FixedClock(NOW + timedelta(days=1))) as tomorrow:
        late = (
            f"{wording('home', 'notice_prices')} "
            f"{wording('home', 'notice_prices_more', t='tomorrow 00:00')}"
        )
        assert late in seen(tomorrow.get(HOME, headers={"Accept-Language": "en"}))


def test_after_the_last_slot_of_the_last_plan_home_still_opens(
    api: httpx.Client, servers_of: Addresses
) -> None:
    with serve(servers_of, FixedClock(NOW + timedelta(days=30))) as later:
        found = later.get(HOME, headers={"Accept-Language": "en"})
        assert found.status_code == 200
        assert wording("home", "no_plan") in seen(found)


def test_a_site_without_anything_says_that_luna_watches(
    api: httpx.Client, database: Engine
) -> None:
    with stored_site(database, name="bare"):
        found = api.get("/ui/sites/bare/home")
        assert wording("home", "no_plan") in seen(found)
        assert wording("home", "flow_none") in seen(found)
        for part in ("head", "flow", "why", "table", "plan.csv"):
            assert api.get(f"/ui/sites/bare/home/{part}").status_code == 200


def test_home_says_why_there_is_no_plan_and_asks_for_one_at_a_button(
    api: httpx.Client, database: Engine
) -> None:
    with stored_site(database, name="bare"):
        with unit_of_work(database) as connection:
            plan_causes.forget(connection, plan_causes.read(connection, ["bare"]))
            plan_sites(connection, PlanSitesRequest(site_ids=["bare"]), now=NOW)
        english, german = (
            seen(api.get("/ui/sites/bare/home", headers={"Accept-Language": language}))
            for language in ("en", "de")
        )
        assert wording("refusals", "sentence_no-forecast-at-start") in english
        assert wording("home", "notice_tried", t="16:40") in english
        assert wording("refusals", "sentence_no-forecast-at-start", "de") in german
        assert "luna " not in english
        asked = api.post("/ui/sites/bare/home/plan")
        assert (asked.status_code, asked.headers["Location"]) == (303, "/ui/sites/bare/home")
        with unit_of_work(database) as connection:
            assert {kind for _, kind in plan_causes.read(connection, ["bare"])} == {"owner"}
            waiting = jobs.find_newest(
                connection, task=RefreshForecastsRequest.task, key="renew:bare:forecast"
            )
        assert waiting is not None


def test_without_a_roof_and_with_a_fixed_price_home_opens(
    api: httpx.Client, database: Engine
) -> None:
    fixed = {"import": {"kind": "fixed", "price": 0.3}}
    store_demo_home(database, name="other", **PLAIN, pv=[], tariff=fixed)
    for path in ("", "/head", "/why", "/table", "/plan.csv"):
        assert api.get(f"/ui/sites/other/home{path}").status_code == 200, path
    remove_site(database, "other")


def read_marks(page: str) -> dict[str, Any]:
    """Return what a page says of the state that it was written from."""
    [written] = re.findall(r'data-marks="([^"]+)"', page)
    marks: dict[str, Any] = json.loads(html.unescape(written))
    return marks


def test_the_gateway_tells_a_page_what_changed_since_it_was_written(
    api: httpx.Client, database: Engine
) -> None:
    pages = ("home", "planning", "energy", "savings", "forecasts", "data")
    written = {page: read_marks(api.get(f"/ui/sites/shown/{page}").text) for page in pages}
    with api.stream("GET", EVENTS) as stream:
        told = (
            json.loads(line.removeprefix("data:"))
            for line in stream.iter_lines()
            if line.startswith("data:")
        )
        first = next(told)
        with unit_of_work(database) as connection:
            connection.execute(
                text(
                    "UPDATE plan_history SET issued_at = issued_at + interval '1 second' "
                    "WHERE site = 'shown'"
                )
            )
        second = next(told)
    assert written == dict.fromkeys(pages, first)
    assert {kind for kind in second if second[kind] != first[kind]} == {"plan"}


def test_a_site_that_is_not_there_has_no_events(api: httpx.Client) -> None:
    assert api.get("/ui/sites/nowhere/events", headers={"HX-Request": "true"}).status_code == 404


NIGHT_FEE = {
    "kind": "calendar",
    "name": "grid fee",
    "price": 21.3,
    "windows": [{"from": "02:00", "to": "05:00", "price": 1.1}],
    "unit": "cents_per_kwh",
}


def describe_parts(*parts: dict[str, Any]) -> dict[str, Any]:
    bought = {"kind": "components", "components": list(parts)}
    return {"tariff": {"import": bought, "export": {"kind": "fixed", "price": 0.05}}, "loads": []}


def find_charging(plan: PlanReply) -> list[datetime]:
    """Return the slots of a plan in which the battery charges from the grid for its price."""
    slots = [slot for slot in plan.slots if slot.reason.code == "charge_from_grid"]
    return [slot.start for slot in slots]


def read_why(
    client: httpx.Client, start: datetime, language: str = "en", *, site: str = "parted"
) -> str:
    address = f"/ui/sites/{site}/home/why"
    headers = {"Accept-Language": language}
    return seen(client.get(address, params={"at": start.isoformat()}, headers=headers))


def say_low_fee(language: Language) -> str:
    numbers = Numbers(language, ZoneInfo("Europe/Amsterdam"), "EUR")
    prices = {
        name: numbers.price(price, decimals=1)
        for name, price in (("price", 0.011), ("highest", 0.213))
    }
    name = format_published_name("grid fee", language)
    said = wording("home", "low_part", language, name=name, **prices)
    return f"{wording('home', 'low_part_title', language)} {' '.join(said.split())}"


@pytest.fixture(scope="module")
def night_home(database: Engine) -> Iterator[DemoHome]:
    """Yield a home whose battery and car charge at night, when the grid fee is low."""
    energy = {"kind": "fixed", "name": "energy", "price": 0.1}
    yield store_demo_home(database, name="parted", **describe_parts(energy, NIGHT_FEE))
    remove_site(database, "parted")


def test_where_a_battery_charges_for_a_low_grid_fee_the_details_name_it(
    night_home: DemoHome, api: httpx.Client
) -> None:
    charging = find_charging(night_home.plan)
    assert charging
    dear = [slot.start for slot in night_home.plan.slots if slot.import_price > 0.3]
    for language in ("en", "de", "nl"):
        assert say_low_fee(language) in read_why(api, charging[0], language)
    shown = [read_why(api, start) for start in dear[:3]]
    assert len(shown) == 3
    assert not any(wording("home", "low_part_title") in each for each in shown)


def test_where_a_car_alone_charges_for_a_low_grid_fee_the_details_name_it(
    night_home: DemoHome, api: httpx.Client
) -> None:
    starts = []
    for slot in night_home.plan.slots:
        charges = slot.vehicles["car"].charge_kwh > 0
        if charges and slot.import_price < 0.2 and slot.reason.code != "charge_from_grid":
            starts.append(slot.start)
    assert starts
    assert say_low_fee("en") in read_why(api, starts[0])
