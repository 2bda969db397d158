"""Pages in a real browser, at a glance: Home, and that one page shows what another one changed."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.data import DayQuality
from luna.contracts.fleet import PlanSitesRequest
from luna.energy.row_fault import RowFault
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, floor_to
from luna.house import control_service
from luna.platform.clock import FixedClock
from luna.platform.database import (
    forecast_activations,
    forecast_issues,
    plan_causes,
    quality,
    quarantine,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION, Activation
from luna.platform.database.forecast_issues import ForecastIssue
from luna.platform.database.quarantine import Refused
from luna.platform.embedded.supervisor import Addresses
from services.planner.service.fleet import plan_sites
from tests.support.browser.page import DESKTOP, PHONE, Open, find_barriers
from tests.support.control.executor import Clock
from tests.support.control.inverters import describe
from tests.support.database.databases import remove_site
from tests.support.database.site import issue_half_a_kilowatt, stored_site
from tests.support.gateway.server import serve
from tests.support.pages.demo_home import HOME, NOW, store_demo_home
from tests.support.words.wording import wording, wording_pattern

PAGE = "/ui/sites/glanced"


@pytest.fixture(scope="module")
def glanced(database: Engine, addresses: Addresses) -> Iterator[httpx.Client]:
    """The gateway of the demo home, but for the devices that make its plans take seconds."""
    home = store_demo_home(database, name="glanced", vehicles=[], loads=[])
    with serve(addresses, FixedClock(home.now)) as client:
        yield client
    remove_site(database, "glanced")


def test_home_shows_plan_and_sentence_without_a_barrier_on_a_desk_and_on_a_phone(
    open_page: Open, glanced: httpx.Client
) -> None:
    page = open_page(f"{PAGE}/home", gateway=glanced)
    found = {}
    for form in (DESKTOP, PHONE):
        page.set_viewport_size(form["viewport"])
        page.locator("#chart canvas").wait_for()
        page.locator("#readout .title b").wait_for()
        found[form["viewport"]["width"]] = (
            page.locator("#headline").inner_text(),
            find_barriers(page),
        )
    assert [barriers for _, barriers in found.values()] == [[], []]
    assert all(sentence.endswith(".") for sentence, _ in found.values())


@pytest.fixture
def with_a_car(database: Engine, glanced: httpx.Client) -> httpx.Client:
    """The same home, now controlled and with a car that its plan does not know yet.

    Its owner wants something else than the plan.
    """
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site({"name": "glanced", "control": describe()} | HOME))
        control_service.override(
            connection,
            "glanced",
            "batteries",
            {"mode": "hold", "until": NOW + timedelta(hours=2)},
            now=NOW,
        )
    return glanced


def test_another_tab_shows_what_was_changed_in_one_and_keeps_what_is_being_typed(
    open_page: Open, with_a_car: httpx.Client
) -> None:
    from playwright.sync_api import expect

    home, planning, other = (
        open_page(f"{PAGE}/{name}", gateway=with_a_car) for name in ("home", "planning", "planning")
    )
    other.fill("#block input[name=power_kw]", "2,5")
    other.check("#control input[name=sure]")
    batteries = wording("planning", "override_batteries")
    decided = wording_pattern(
        "planning", "override", mode=wording("modes", "mode_hold"), device=batteries
    )
    expect(other.locator("#overrides")).to_contain_text(decided)
    # A departure is stored on one page, the override ended on Home.
    planning.fill("input[name=arrival]", "40")
    planning.get_by_role("button", name="Save departure").click()
    home.get_by_role("button", name="End now").click()
    expect(other.locator("#sessions")).to_contain_text("Car: 80% by")
    expect(other.locator("#overrides")).to_be_hidden()
    assert other.locator("#block input[name=power_kw]").input_value() == "2,5"
    assert other.locator("#control input[name=sure]").is_checked()
    # And the other way round.
    other.locator("#vacation button").click()
    expect(planning.locator("#vacation")).to_contain_text(wording("planning", "vacation_on"))


def test_a_page_shows_what_changed_while_it_had_no_connection(
    open_page: Open, with_a_car: httpx.Client
) -> None:
    from playwright.sync_api import expect

    page = open_page(f"{PAGE}/home", gateway=with_a_car)
    expect(page.locator(".hero .notice")).to_contain_text(
        wording("home", "notice_override", mode=wording("modes", "mode_hold"), t="18:40")
    )
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    with_a_car.post(f"{PAGE}/home/resume", data={"device": "batteries"})
    page.evaluate("dispatchEvent(new Event('pageshow'))")
    expect(page.locator(".hero .notice")).to_have_count(0)


def test_savings_forecasts_and_data_show_what_came_in_and_keep_what_is_being_typed(
    open_page: Open, glanced: httpx.Client, database: Engine
) -> None:
    from playwright.sync_api import expect

    today = NOW.date()
    with unit_of_work(database) as connection:
        quarantine.settle(
            connection,
            "glanced",
            {"sensor.load": [Refused(1, RowFault("far"), {"value": "7"})]},
            lines=(0, 2),
        )
        forecast_issues.upsert(
            connection,
            "glanced",
            [ForecastIssue(DEFAULT_VERSION, NOW - timedelta(hours=1), "full")],
        )
    savings, forecasts, data = (
        open_page(f"{PAGE}/{name}", gateway=glanced) for name in ("savings", "forecasts", "data")
    )
    chosen = forecasts.locator("select[name=slot] option").nth(5).get_attribute("value") or ""
    forecasts.select_option("select[name=slot]", chosen)
    data.locator("#refused summary").click()
    data.fill("#refused input[name^='value:']", "8")
    known = 'form[action$="/uploads"]'
    data.locator(f"details:has({known}) > summary").click()
    data.fill(f"{known} input[name=timezone]", "Europe/Vienna")
    with unit_of_work(database) as connection:
        quarantine.settle(
            connection,
            "glanced",
            {"sensor.pv": [Refused(2, RowFault("stuck"), {"value": "9"})]},
            lines=(2, 3),
        )
        quality.save(
            connection, "glanced", [DayQuality(day=today - timedelta(days=1), verdict="exclude")]
        )
        assert forecast_activations.activate(
            connection, "glanced", Activation("baseline_yesterday", "for the test", "hand")
        )
    expect(data.locator("#refused")).to_contain_text(wording("quarantine", "stuck"))
    expect(data.locator("#calendar td.exclude")).to_have_count(1)
    expect(forecasts.locator("#decisions")).to_contain_text("baseline_yesterday")
    expect(savings.locator("#days")).to_contain_text(wording("savings", "left_excluded"))
    # The second row stands before the first, in which somebody types.
    assert data.locator("#refused input[name^='value:']").last.input_value() == "8"
    assert data.locator(f"{known} input[name=timezone]").input_value() == "Europe/Vienna"
    assert forecasts.locator("select[name=slot]").input_value() == chosen
    assert [find_barriers(page) for page in (savings, forecasts, data)] == [[], [], []]


def test_another_site_is_chosen_in_the_head_on_a_desk_and_on_a_phone(
    open_page: Open, glanced: httpx.Client, database: Engine
) -> None:
    long = "a second house with a name that goes on and on"
    with stored_site(database, name=long):
        page = open_page("/ui/sites/glanced/planning", gateway=glanced)
        for form in (DESKTOP, PHONE):
            page.set_viewport_size(form["viewport"])
            page.goto(f"{glanced.base_url}/ui/sites/glanced/planning")
            page.locator(".sites summary").click()
            assert find_barriers(page) == []
            page.get_by_role("link", name=long).click()
            page.wait_for_url("**/a%20second*/planning")
            assert find_barriers(page) == []


def test_on_the_second_day_an_open_page_says_what_is_missing_and_then_the_new_plan(
    open_page: Open, addresses: Addresses, database: Engine
) -> None:
    from playwright.sync_api import expect

    clock = Clock()
    clock.instant = store_demo_home(database, name="lived", vehicles=[], loads=[]).now
    with serve(addresses, clock) as gateway:
        page = open_page("/ui/sites/lived/home", gateway=gateway)
        expect(page.locator(".hero .steps li").first).to_contain_text("Now")
        no_plan = wording_pattern("home", "notice_fallback")
        expect(page.locator(".hero")).not_to_contain_text(no_plan)
        clock.instant += timedelta(days=1)
        expect(page.locator(".hero")).to_contain_text(
            wording("home", "notice_fallback", age="24 h")
        )
        expect(page.get_by_role("button", name="Plan now")).to_be_visible()
        with unit_of_work(database) as connection:
            issue_half_a_kilowatt(connection, "lived", floor_to(clock.instant, SLOT))
            assert plan_causes.take_due(connection, ["lived"], now=clock.instant) == ["lived"]
            assert (
                plan_sites(
                    connection, PlanSitesRequest(site_ids=["lived"]), now=clock.instant
                ).faults
                == []
            )
        expect(page.locator(".hero")).not_to_contain_text(no_plan)
        expect(page.locator(".hero .steps li").first).to_contain_text("Now")
        assert gateway.get("/v1/sites/lived/plans/latest").json()["slots"][0]["start"] == floor_to(
            clock.instant, SLOT
        ).strftime("%Y-%m-%dT%H:%M:%SZ")
        page.goto("about:blank")
    remove_site(database, "lived")
