"""The pages beside Home in a real browser: they fit a phone, no tool finds a barrier, and what
scripts add works.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from luna.platform.clock import FixedClock
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.browser.page import PHONE, Open, find_barriers, find_barriers_in_all_forms
from tests.support.gateway.server import serve
from tests.support.pages.site_with_history import (
    describe_furnished,
    forget_furnished,
    furnish,
    plan_now,
    refuse_row,
)
from tests.support.suite.depth import LONG
from tests.support.words.wording import wording

# The evening before clocks go back: what lies ahead has an hour that comes twice.
NOW = datetime(2026, 10, 24, 16, 5, tzinfo=UTC)
PAGES = ("planning", "energy", "savings", "forecasts", "what-ifs", "knowledge", "data")
# A form, a chart and a table.
SOME_PAGES = PAGES if LONG else ("planning", "energy", "savings", "data")


@pytest.fixture(scope="module")
def pages(database: Engine, addresses: Addresses) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        site = describe_furnished()
        furnish(connection, site, last=date(2026, 10, 23), missing=2)
        plan_now(connection, site, NOW)
        refuse_row(connection, "home", 7)
        sites.save(connection, describe_furnished("bare"))
    # No worker is there: what a page's parts ask of one is given up soon, for which the gateway
    # waits when it ends.
    with serve(addresses, FixedClock(NOW), plan_timeout=timedelta(seconds=3)) as client:
        yield client
    with unit_of_work(database) as connection:
        forget_furnished(connection, "home", "bare")


def require_heading(page: Page) -> None:
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    open_page: Open, pages: httpx.Client, name: str
) -> None:
    assert (
        find_barriers_in_all_forms(
            open_page, f"/ui/sites/home/{name}", gateway=pages, ready=require_heading
        )
        == []
    )


def test_a_site_that_knows_nothing_yet_says_so_without_a_barrier(
    open_page: Open, pages: httpx.Client
) -> None:
    page = open_page("/ui/sites/bare/planning", gateway=pages, **PHONE)
    found = {}
    for name in SOME_PAGES:
        open_page(f"/ui/sites/bare/{name}", gateway=pages, on=page)
        found[name] = find_barriers(page)
    assert found == {name: [] for name in SOME_PAGES}


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("", id="as it opens", marks=pytest.mark.long),
        pytest.param(
            "?from=2026-10-24T09:00Z&to=2026-10-24T10:00Z", id="with a time that has passed"
        ),
    ],
)
def test_dragging_over_the_strip_sets_the_form_s_times(
    open_page: Open, pages: httpx.Client, asked: str
) -> None:
    page = open_page(
        f"/ui/sites/home/planning{asked}", gateway=pages, timezone_id="America/New_York"
    )
    strip = page.locator("svg.strip.wide")
    box = strip.bounding_box()
    assert box is not None
    # The plot begins at 34 of 976 units and holds 192 quarter-hours: the middle of the 12th and
    # that of the 20th.
    left = box["width"] * 34 / 976
    slot = box["width"] * (976 - 34 - 8) / 976 / 192
    page.mouse.move(box["x"] + left + 12.5 * slot, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + left + 20.5 * slot, box["y"] + 60, steps=4)
    page.mouse.up()
    chosen = [
        page.locator(f"#block select[name={name}]").evaluate("each => each.selectedOptions[0].text")
        for name in ("from", "to")
    ]
    # 18:00 of the site and twelve quarter-hours, to the end of the 20th.
    assert chosen == ["21:00", "23:15"]


def test_an_hour_that_comes_twice_can_be_told_apart_in_the_form(
    open_page: Open, pages: httpx.Client
) -> None:
    page = open_page("/ui/sites/home/planning", gateway=pages)
    options = page.locator("#block select[name=from] option").all_text_contents()
    times = [option.strip().replace("\u00a0", " ") for option in options]
    assert [time for time in times if time.startswith("02:00")] == [
        "02:00 CEST",
        "02:00 CET",
        "02:00",
    ]


def test_a_device_offers_what_it_knows_alone(open_page: Open, pages: httpx.Client) -> None:
    page = open_page("/ui/sites/home/planning", gateway=pages)
    page.select_option("#block select[name=device]", "boiler")
    known = page.locator("#block select[name=action]").evaluate(
        "each => [...each.options].filter((one) => !one.disabled).map((one) => one.value)"
    )
    assert known == ["on", "off"]


def test_a_file_with_luna_s_columns_is_sent_and_its_page_says_what_becomes_of_it(
    open_page: Open, pages: httpx.Client
) -> None:
    page = open_page("/ui/sites/home/data", gateway=pages)
    known = 'form[action$="/uploads"]'
    page.click(f"details:has({known}) > summary")
    page.set_input_files(
        f"{known} input[type=file]",
        {"name": "meter.csv", "mimeType": "text/csv", "buffer": b"slot_start,load_kwh\n"},
    )
    page.click(f"{known} button")
    expect(page.locator(".loads")).to_contain_text("meter.csv")
    expect(page.locator(".job")).to_be_visible()


def test_without_a_script_every_page_says_the_same(open_page: Open, pages: httpx.Client) -> None:
    page = open_page("/ui/sites/home/planning", gateway=pages, java_script_enabled=False)
    for name in (*SOME_PAGES, "savings"):
        open_page(f"/ui/sites/home/{name}", gateway=pages, on=page)
        require_heading(page)
    page.click(f"text={wording('savings', 'compute', days=2)}")
    expect(page.locator(".job")).to_be_visible()
