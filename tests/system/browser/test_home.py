"""Home in a real browser: the plan's chart, its keys, its refresh, its states, on desk and
phone.
"""

import base64
import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from luna.house import control_service
from luna.platform.clock import FixedClock
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.browser.page import PHONE, Open, find_barriers_in_all_forms
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.pages.demo_home import DemoHome, store_demo_home
from tests.support.suite.depth import LONG
from tests.support.words.wording import wording, wording_pattern

HOME = "/ui/sites/demo/home"
TITLE = "#readout .title b"
WIDTHS = (320, 390, 720, 1024, 1440) if LONG else (320, 720)


def drawn(page: Page) -> Page:
    """Wait until the chart is there."""
    expect(page.locator("#chart canvas")).to_be_visible()
    expect(page.locator(TITLE)).not_to_be_empty()
    return page


def span(page: Page) -> tuple[datetime, datetime]:
    """What the chart shows: from when until when."""
    shown = page.locator("#chart")
    first, end = (
        datetime.fromisoformat(shown.get_attribute(name) or "") for name in ("data-from", "data-to")
    )
    return first, end


# Playwright's iPhone 13.
IPHONE = {
    "viewport": {"width": 390, "height": 664},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
    "user_agent": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 15_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
        "like Gecko) Version/15.0 Mobile/15E148 Safari/604.1"
    ),
}
# A screenshot's size, its mean luminance (0 to 255) and how many colours it has.
SEEN = """async (encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = image;
  const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, width, height);
  const colours = new Set();
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) {
    sum += 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
    colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
  }
  return { width, height, luminance: sum / (data.length / 4), colours: colours.size };
}"""
INKED_CHART = "() => document.querySelector('#chart canvas').toDataURL()"
# The tokens of the theme whose colour, as it is, has at least forty pixels between two heights of
# the chart.
INKED = """({ from, to }) => {
  const canvas = document.querySelector("#chart canvas"), scale = canvas.width / canvas.clientWidth;
  const context = canvas.getContext("2d");
  const { data } = context.getImageData(0, from * scale, canvas.width, (to - from) * scale);
  const counts = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const colour = `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const probe = document.querySelector("#chart").appendChild(document.createElement("span"));
  const tokens = ["load", "pv", "battery", "grid", "ev", "heater", "price"].filter((name) => {
    probe.style.color = `var(--${name})`;
    return (counts.get(getComputedStyle(probe).color) ?? 0) >= 40;
  });
  probe.remove();
  return tokens;
}"""
# The columns of pixels that are throughout as dark as text, between two heights of the chart.
RULE = """({ from, to }) => {
  const canvas = document.querySelector("#chart canvas"), scale = canvas.width / canvas.clientWidth;
  const top = (from + 2) * scale;
  const height = (to - from - 4) * scale;
  const { data } = canvas.getContext("2d").getImageData(0, top, canvas.width, height);
  const rows = data.length / 4 / canvas.width;
  const dark = (x, y) => {
    const first = 4 * (y * canvas.width + x);
    return [0, 1, 2].every((k) => data[first + k] < 90) && data[first + 3] > 100;
  };
  const count = (length) => Array.from({ length }, (_, number) => number);
  return count(canvas.width).filter((x) => count(rows).every((y) => dark(x, y)));
}"""


def test_the_chart_is_drawn_on_all_three_panels_and_asks_nothing_of_any_other_machine(
    open_page: Open, demo_gateway: httpx.Client
) -> None:
    page = drawn(open_page(HOME))
    # Panels as src/plan/axes.js places them on a desk: price, power, charge; bars of what uses
    # energy stand above the middle of power.
    tops = {"price": (56, 168), "used": (200, 316), "supplied": (316, 432), "soc": (464, 580)}
    inked = {
        name: page.evaluate(INKED, {"from": top, "to": end}) for name, (top, end) in tops.items()
    }
    assert "price" in inked["price"]
    assert {"load", "battery"} <= set(inked["used"])
    assert {"pv", "battery", "grid"} <= set(inked["supplied"])
    assert "battery" in inked["soc"]
    # The rule of now, in the colour of text, goes through price, power and charge at one place.
    rules = [page.evaluate(RULE, {"from": top, "to": end}) for top, end in tops.values()]
    assert len({tuple(places) for places in rules}) == 1
    assert rules[0]
    assert page.locator("#readout > span").count() >= 9
    assert page.locator("#no-chart").is_hidden()
    asked = page.evaluate(
        "() => performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)"
    )
    assert set(asked) == {str(demo_gateway.base_url).rstrip("/")}


def test_keys_and_steps_choose_slots_and_the_sheet_follows(open_page: Open) -> None:
    page = drawn(open_page(HOME))
    page.locator("#chart").press("Home")
    # It is 16:40: the slot that runs began at 16:30.
    expect(page.locator(TITLE)).to_have_text("Wed 16:30")
    page.locator("#chart").press("ArrowRight")
    page.locator("#chart").press("PageDown")
    expect(page.locator(TITLE)).to_have_text("Wed 17:45")
    expect(page.locator("#why .label").first).to_contain_text("17:45")
    page.locator("#chart").press("ArrowLeft")
    expect(page.locator("#why .label").first).to_contain_text("17:30")
    step = page.locator(".step").nth(2)
    step.click()
    expect(step).to_have_attribute("aria-current", "true")
    assert page.url.endswith(HOME)


def test_plans_that_are_compared_are_named_by_when_they_were_issued(open_page: Open) -> None:
    page = drawn(open_page(HOME))
    page.locator("#chart").press("Home")
    # The plan in force was issued at 16:30, the one of the dotted line at midnight.
    expect(page.locator("#readout .title")).to_contain_text("Plan of 16:30")
    expect(page.locator("#readout")).not_to_contain_text("Plan of 00:00")
    before = page.evaluate(INKED_CHART)
    page.get_by_role("button", name=wording("home", "ghost_midnight")).click()
    cell = page.locator("#readout > span", has_text="Plan of 00:00")
    expect(cell.locator("b")).to_have_text(re.compile(r"\d+%"))
    assert page.evaluate(INKED_CHART) != before
    page.locator("#chart").press("PageUp")
    expect(page.locator("#readout .title")).not_to_contain_text("Plan of")
    page.get_by_role("button", name=wording("home", "ghost_forecast")).click()
    expect(page.locator("#readout > span", has_text="House, expected").locator("b")).to_have_text(
        re.compile(r"\d\skW")
    )


def test_zoom_and_choice_stay_when_something_new_arrives(
    open_page: Open, demo_home: DemoHome, database: Engine
) -> None:
    page = drawn(open_page(HOME))
    page.locator("#chart").press("Home")
    page.locator("#chart").hover(position={"x": 500, "y": 250})
    before = span(page)
    first = page.locator("#chart").get_attribute("data-from") or ""
    page.keyboard.down("Control")
    page.mouse.wheel(0, -600)
    page.keyboard.up("Control")
    expect(page.locator("#chart")).not_to_have_attribute("data-from", first)
    zoomed = span(page)
    assert zoomed[1] - zoomed[0] < before[1] - before[0]
    until = demo_home.now + timedelta(hours=2)
    with unit_of_work(database) as connection:
        control_service.override(
            connection,
            "demo",
            "batteries",
            {"mode": "hold", "until": until.isoformat()},
            now=demo_home.now,
        )
    # Nobody clicks: the gateway says that there is something new.
    expect(page.locator(".hero .notice")).to_contain_text(
        wording("home", "notice_override", mode=wording("modes", "mode_hold"), t="18:40")
    )
    assert span(page) == zoomed
    expect(page.locator(TITLE)).to_have_text("Wed 16:30")
    page.get_by_role("button", name="End now").click()
    expect(page.locator(".hero .notice")).to_have_count(0)
    assert span(page) == zoomed


def test_an_owner_does_something_else_until_a_time_and_takes_it_back(open_page: Open) -> None:
    page = drawn(open_page(HOME))
    page.locator("#chart").press("Home")
    expect(page.locator("#why .label").first).to_contain_text("16:30")
    page.locator(".override select").select_option(label="17:45")
    page.get_by_role("button", name=wording("modes", "mode_charge"), exact=True).click()
    expect(page.locator(".hero .notice")).to_contain_text(
        wording("home", "notice_override", mode=wording("modes", "mode_charge"), t="17:45")
    )
    expect(page.locator("#why dl")).to_contain_text("you")
    page.get_by_role("button", name=wording("home", "extend")).click()
    expect(page.locator(".hero .notice")).to_contain_text(
        wording("home", "notice_override", mode=wording("modes", "mode_charge"), t="18:45")
    )
    page.get_by_role("button", name="End now").click()
    expect(page.locator(".hero .notice")).to_have_count(0)


def test_what_an_owner_is_choosing_stays_while_news_come(open_page: Open) -> None:
    page = drawn(open_page(HOME))
    # The reason is another one with each answer, as with a new plan.
    answers = [
        page.locator("#why")
        .inner_html()
        .replace('class="reason">', f'class="reason">Reason {number}. ')
        for number in range(2)
    ]
    left = iter(answers)
    page.route(
        "**/home/why?*", lambda route: route.fulfill(body=next(left), content_type="text/html")
    )
    until = page.locator(".override select")
    until.select_option(label="17:45")
    until.focus()
    for number in range(2):
        page.evaluate("document.body.dispatchEvent(new Event('luna:news'))")
        expect(page.locator("#why .reason")).to_contain_text(f"Reason {number}.")
        expect(until.locator("option:checked")).to_have_text("17:45")
        expect(until).to_be_focused()


@pytest.fixture(scope="module")
def changing_home(
    database: Engine, addresses: Addresses
) -> Iterator[Callable[[str], httpx.Client]]:
    """Returns, for an instant, the gateway of a home for which it is that instant."""
    with ExitStack() as stack:

        @cache
        def serve_at(now: str) -> httpx.Client:
            instant = datetime.fromisoformat(now)
            store_demo_home(database, name="change", now=instant, vehicles=[], loads=[])
            return stack.enter_context(serve(addresses, FixedClock(instant)))

        yield serve_at
    remove_site(database, "change")


# The days on which clocks change are read by a browser elsewhere in short runs as well.
@pytest.mark.long
def test_a_browser_elsewhere_shows_the_clock_of_the_site(open_page: Open) -> None:
    page = drawn(open_page(HOME, timezone_id="Asia/Kolkata"))
    page.locator("#chart").press("Home")
    expect(page.locator(TITLE)).to_have_text("Wed 16:30")
    expect(page.locator("#why .label").first).to_contain_text("16:30")


# Noon in Greenwich is 13:00 in Amsterdam before the clocks change in March, and 14:00 before they
# do in October: 12¾ and 11¾ hours before 01:45.
@pytest.mark.parametrize(
    "browser_zone",
    ["America/Los_Angeles", pytest.param("Australia/Lord_Howe", marks=pytest.mark.long)],
)
@pytest.mark.parametrize(
    ("now", "hours", "following"),
    [
        pytest.param(
            "2026-03-28T12:00:00+00:00",
            12,
            ["Sun 03:00", "Sun 04:00"],
            id="92 slots",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "2026-10-24T12:00:00+00:00",
            11,
            ["Sun 02:00 CEST", "Sun 02:00 CET"],
            id="100 slots",
        ),
    ],
)
def test_days_on_which_clocks_change_are_read_as_the_site_s_clock_shows_them(
    open_page: Open,
    changing_home: Callable[[str], httpx.Client],
    *,
    now: str,
    hours: int,
    following: list[str],
    browser_zone: str,
) -> None:
    page = drawn(
        open_page("/ui/sites/change/home", gateway=changing_home(now), timezone_id=browser_zone)
    )
    for key in ["Home", *["PageDown"] * hours, *["ArrowRight"] * 3]:
        page.locator("#chart").press(key)
    expect(page.locator(TITLE)).to_have_text("Sun 01:45")
    page.locator("#chart").press("ArrowRight")
    expect(page.locator(TITLE)).to_have_text(following[0])
    page.locator("#chart").press("PageDown")
    expect(page.locator(TITLE)).to_have_text(following[1])
    expect(page.locator("#why .label").first).to_contain_text(
        following[1].removeprefix("Sun ").removesuffix(" CET")
    )


def test_no_width_makes_the_page_scroll_sideways(open_page: Open) -> None:
    page = open_page(HOME, locale="de-DE")
    widths: dict[int, int] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        page.reload()
        widths[width] = drawn(page).evaluate("document.documentElement.scrollWidth")
    assert widths == {width: width for width in widths}


def test_a_phone_s_first_screen_shows_price_and_flow_and_leads_to_every_page(
    open_page: Open,
) -> None:
    page = drawn(open_page(HOME, **PHONE))
    bar = page.locator("nav").first.bounding_box()
    assert bar is not None
    for part in (".price-now", ".flow svg"):
        seen = page.locator(part).bounding_box()
        assert seen is not None
        assert seen["y"] + seen["height"] <= bar["y"]
    links = [link.bounding_box() for link in page.locator("nav").first.locator("a").all()]
    assert len(links) == 11
    assert [
        link
        for link in links
        if link is None
        or not (link["x"] >= 0 and link["x"] + link["width"] <= 390 and link["y"] >= bar["y"])
    ] == []


def test_on_a_phone_the_sheet_rises_where_a_slot_is_tapped_and_has_three_heights(
    open_page: Open,
) -> None:
    page = drawn(open_page(HOME, **PHONE))
    sheet = page.locator("#why")
    expect(sheet).to_have_attribute("data-height", "action")
    page.locator("#chart").scroll_into_view_if_needed()
    page.locator("#chart").tap(position={"x": 200, "y": 120})
    expect(sheet).to_have_attribute("data-height", "reason")
    sheet.locator("#handle").tap()
    expect(sheet).to_have_attribute("data-height", "all")


# A short run looks at a dark screenshot.
@pytest.mark.long
def test_dark_follows_the_system(open_page: Open) -> None:
    page = drawn(open_page(HOME, color_scheme="dark"))
    # The token --page in its dark value, #0e1116.
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 17, 22)"


@pytest.mark.parametrize(
    ("scheme", "low", "high"),
    [
        pytest.param("light", 190, 255, id="light", marks=pytest.mark.long),
        pytest.param("dark", 0, 60, id="dark"),
    ],
)
def test_a_screenshot_on_an_iphone_is_light_or_dark_as_the_phone_is(
    open_page: Open, tmp_path: Path, scheme: str, low: int, high: int
) -> None:
    page = drawn(open_page(HOME, **IPHONE, color_scheme=scheme))
    page.locator("#chart").scroll_into_view_if_needed()
    shot = page.screenshot(path=tmp_path / f"home-{scheme}.png")
    seen = page.evaluate(SEEN, base64.b64encode(shot).decode())
    assert (seen["width"], seen["height"]) == (3 * 390, 3 * 664)
    assert low <= seen["luminance"] <= high
    # A page without its chart or its style sheet has a few colours and their edges.
    assert seen["colours"] > 300
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_axe_finds_nothing(open_page: Open) -> None:
    assert find_barriers_in_all_forms(open_page, HOME, ready=drawn) == []


def test_values_are_a_table_under_scoped_headings_and_leave_as_csv_and_as_a_picture(
    open_page: Open,
) -> None:
    page = drawn(open_page(HOME))
    page.get_by_role("button", name="Table").click()
    expect(page.locator("#table tbody tr")).to_have_count(288)
    assert page.locator("#table thead th:not([scope=col])").count() == 0
    assert page.locator("#table tbody tr > :first-child:not([scope=row])").count() == 0
    page.get_by_role("button", name="Table").click()
    expect(page.locator("#chart")).to_be_visible()
    with page.expect_download() as table:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(table.value.path().read_text(encoding="utf-8"))))
    assert len(rows) == 288
    assert rows[0]["slot_start"] == "2026-05-19T16:30:00+02:00"
    with page.expect_download() as picture:
        page.get_by_role("button", name="Picture").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")


def test_without_a_script_sentence_steps_figures_and_reason_are_there(open_page: Open) -> None:
    page = open_page(HOME, java_script_enabled=False)
    until = wording_pattern("home", "until_time", t=re.compile(r"\d\d:\d\d"))
    assert until.search(page.locator("#headline").inner_text())
    assert page.locator(".step").count() == 4
    assert page.locator(".facts > div").count() == 6
    page.locator(".step").nth(2).click()
    assert "at=" in page.url
    expect(page.locator("#why .reason")).to_be_visible()
    page.goto(page.url.partition("?")[0] + "/table")
    assert page.locator("tbody tr").count() == 288


def test_a_gateway_that_is_away_leaves_what_is_shown_and_says_so(open_page: Open) -> None:
    page = drawn(open_page(HOME))
    page.context.set_offline(True)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('luna:refresh', { detail: {} }))")
    expect(page.locator("#said")).to_have_text(wording("home", "offline"))
    expect(page.locator("#chart canvas")).to_be_visible()
    expect(page.locator("#headline")).not_to_be_empty()
