"""`luna demo --live`: a stranger's Luna lives an hour by the injected clock.

What Luna says is held against the simulated home's own truth.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from luna.simulated_home.house import BATTERY_MODEL
from luna.simulated_home.site import CAR, HEATER, SITE_NAME
from tests.support.browser.page import DESKTOP
from tests.support.simulated_home.luna_instance import (
    HOME,
    PATIENCE_SECONDS,
    SITE,
    LivingLuna,
    open_simulated_home,
    run_luna,
    wait_until,
)
from tests.support.simulated_home.true_flow import wait_for_true_flow
from tests.support.words.wording import wording

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

STEP = timedelta(minutes=5)


@pytest.fixture(scope="module")
def demo(kept_folder: Path) -> Iterator[LivingLuna]:
    with run_luna(
        kept_folder.parent, "demo", "--live", ready=lambda luna: luna.files.is_there
    ) as demo:
        yield demo


def test_in_its_first_minutes_it_shows_flow_forecast_plan_and_says_that_it_is_simulated(
    demo: LivingLuna,
) -> None:
    wait_until(lambda: demo.read(f"{SITE}/plans/latest").get("plan_id"))
    page = demo.client.get(HOME).text
    assert wording("every_page", "simulated") in page
    german = demo.client.get(HOME, headers={"Accept-Language": "de"}).text
    assert wording("every_page", "simulated", "de") in german
    assert 'id="flow-title"' in page
    assert demo.read(f"{SITE}/forecasts")
    wait_until(
        lambda: len({score["day"] for score in demo.read(f"{SITE}/scores").get("scores", [])}) >= 3
    )


def test_what_luna_tells_its_devices_is_what_the_truth_shows(demo: LivingLuna) -> None:
    demo.stop_steering()
    assert demo.client.post(f"{SITE}/control/arm").is_success
    before = demo.files.read_state()
    measured = demo.last_measured()
    wanted = {
        "mode": "charge",
        "power_kw": 2.0,
        "until": (demo.now + timedelta(hours=3)).isoformat(),
    }
    told = {
        "batteries": wanted,
        f"vehicle:{CAR}": {"mode": "stop", "until": wanted["until"]},
        f"load:{HEATER}": {"mode": "on", "until": wanted["until"]},
    }
    for device, override in told.items():
        assert demo.client.put(f"{SITE}/control/overrides/{device}", json=override).is_success
    # Read back by the executor, not only sent.
    wait_until(
        lambda: (
            [demo.files.read_truth()[-1][each] for each in ("mode", "car_mode", "heater_mode")]
            == ["force_charge", "off", "on"]
        )
    )
    wait_until(lambda: demo.list_confirmed() == set(told))
    stopped = demo.files.read_state().car

    for _ in range(12):
        demo.move_clock(STEP)

    wait_until(lambda: demo.last_measured() >= measured + timedelta(minutes=45))
    after = demo.files.read_state()
    room_kwh = BATTERY_MODEL.capacity_kwh - before.battery.stored_kwh
    # Wherever the car is, nothing flows into it.
    assert stopped is not None
    assert after.car is not None
    assert after.car.charge_kwh == pytest.approx(stopped.charge_kwh, abs=0.1)
    # What the sun leaves over comes on top; near the top it takes less.
    assert after.charge_kwh - before.charge_kwh >= 0.8 * min(
        2.0 * (after.at - before.at) / 3600, room_kwh
    )
    end = demo.last_measured() + timedelta(minutes=15)
    soc = demo.read_measured("soc")[-1]
    truth = [
        float(row["soc"])
        for row in demo.files.read_truth()
        if datetime.fromisoformat(row["at"]) <= end
    ]
    # Time goes in steps of five minutes, in which 5 kW move 4 % of it.
    assert soc == pytest.approx(truth[-1], abs=0.05)


@pytest.fixture(scope="module")
def page(demo: LivingLuna, browser: "Browser") -> "Iterator[Page]":
    with closing(browser.new_context(service_workers="block", **DESKTOP)) as context:
        context.set_default_timeout(1000 * PATIENCE_SECONDS)
        demo.admit(context)
        yield context.new_page()


def test_an_open_page_says_what_flows_by_itself(demo: LivingLuna, page: "Page") -> None:
    page.goto(str(demo.client.base_url) + HOME)
    wait_for_true_flow(demo, page)
    demo.move_clock(STEP)
    wait_for_true_flow(demo, page)


def is_removed(demo: LivingLuna, answers: list[httpx.Response]) -> bool:
    """Press again while the answer is to try again; return whether another one came."""
    if answers[-1].status_code == httpx.codes.SERVICE_UNAVAILABLE:
        answers.append(demo.client.post("/ui/setup/remove-simulated-home"))
    return answers[-1].status_code != httpx.codes.SERVICE_UNAVAILABLE


def test_one_button_removes_it_and_leaves_nothing_and_another_begins_it_anew(
    demo: LivingLuna, page: "Page"
) -> None:
    from playwright.sync_api import expect

    page.goto("about:blank")
    # While a job of the site runs the page says to try again.
    answers = [demo.client.post("/ui/setup/remove-simulated-home")]
    wait_until(lambda: is_removed(demo, answers))
    assert answers[-1].status_code == httpx.codes.SEE_OTHER, answers[-1].text
    assert SITE_NAME not in demo.client.get("/v1/sites").text
    assert not demo.files.folder.exists()
    assert demo.client.get(f"{SITE}/timeline").status_code == httpx.codes.NOT_FOUND
    offered = demo.client.get("/ui/setup").text
    assert wording("setup", "simulated_home_start") in offered
    open_simulated_home(page, demo)
    expect(page.locator("body")).to_contain_text(wording("every_page", "simulated"))
