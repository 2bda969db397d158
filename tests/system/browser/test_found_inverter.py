"""From an empty Luna to what would be sent to an inverter that was found, and the 200 W that try
it, without a file: against a simulated one.
"""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.platform.database.migrate import upgrade
from luna.platform.embedded.supervisor import Addresses, Servers
from tests.support.browser.page import Open, find_barriers
from tests.support.database.databases import own_database
from tests.support.gateway.server import serve
from tests.support.words.wording import wording
from tests.support.worker.workers import worker_process

# A person's figure; what a person types and reads between the clicks is not in the test's.
THREE_MINUTES = 180
A_MINUTE_MS = 60_000


@pytest.fixture
def empty(servers: Servers, redis_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A gateway and a worker on a database that holds nothing yet."""
    with own_database(servers.database_url, f"luna_find_{uuid.uuid4().hex[:8]}") as database_url:
        upgrade(database_url)
        addresses = Addresses(database_url=database_url, redis_url=redis_url)
        with (
            worker_process(redis_url, database_url, "services.ingest.tasks", data_folder=tmp_path),
            serve(addresses, data_folder=tmp_path, outside_services=False) as client,
        ):
            yield client


@pytest.fixture
def inverter() -> SimulatedInverter:
    return SimulatedInverter(
        load_profile("sunspec_12x", Path("/nonexistent")), house=lambda _: (0.5, 0.0)
    )


@pytest.fixture
def server(inverter: SimulatedInverter) -> Iterator[RegisterServer]:
    with serve_registers(inverter) as server:
        yield server


def go_on(page: Page) -> None:
    assert find_barriers(page) == []
    page.click(".actions button.primary")


def test_an_inverter_that_is_found_is_told_what_the_page_shows(
    empty: httpx.Client,
    open_page: Open,
    server: RegisterServer,
    inverter: SimulatedInverter,
    record_property: Any,
) -> None:
    began = time.monotonic()
    page = open_page("/", gateway=empty)
    page.click("button[value=site]")
    page.select_option("#place", "NL:Utrecht")
    go_on(page)
    page.click("button[value=find-devices]")
    # This machine itself is proposed by nobody: it is named.
    page.fill("#network", "127.0.0.1/32")
    page.fill("#port", str(server.port))
    assert find_barriers(page) == []
    page.click("button[value=search]")
    page.click("button[value=take-0]", timeout=A_MINUTE_MS)
    expect(page.locator("#search .good")).to_be_visible()
    assert find_barriers(page) == []
    page.click("a.primary")
    expect(page.locator("#batteries-0-power_kw")).to_have_value("5")
    # As the inverter says.
    expect(page.locator("#batteries-0-capacity_kwh")).to_have_value("10")
    page.fill("#pv-0-peak_kw", "6")
    go_on(page)
    page.fill("#import_price", "31")
    page.fill("#export_price", "8")
    go_on(page)
    go_on(page)
    expect(page.locator("input[name=by][value=profile]")).to_be_checked()
    # Which register charges it, and how much of its rating is written there.
    expect(page.locator("#sent")).to_contain_text("OutWRte (124/12)")
    expect(page.locator("#sent")).to_contain_text("-5000 W / WChaMax")
    seconds = time.monotonic() - began
    record_property("seconds", round(seconds, 1))
    assert seconds < THREE_MINUTES
    assert inverter.written == []
    assert find_barriers(page) == []
    page.click("button[value=try]", timeout=A_MINUTE_MS)
    charged = wording("trial", "trial_charge_right", power=200)
    expect(page.locator("#tried")).to_contain_text(charged, timeout=A_MINUTE_MS)
    expect(page.locator("#tried")).to_have_class("notice stack good")
    expect(page.locator("#tried")).to_contain_text(wording("trial", "trial_ended"))
    assert inverter.mode == "self_consumption"
    assert find_barriers(page) == []
    go_on(page)
    expect(page.locator("main")).to_contain_text("4 sensors")
