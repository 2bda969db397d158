"""A simulated inverter behind a Home Assistant, and the executor that tells it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.platform.addresses import HomeAssistantAccess
from tests.support.control.executor import Home
from tests.support.control.inverters import MODE, POWER, SOC, TOKEN, Inverter, describe, serve


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({SOC: "50", MODE: "Self Use", POWER: "0"})) as inverter:
        yield inverter


@pytest.fixture
def home(database: Engine, inverter: Inverter) -> Iterator[Home]:
    home = Home(
        database,
        lambda _: HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN)),
        describe(),
    )
    yield home
    home.close()


@pytest.fixture
def armed(home: Home) -> Home:
    home.arm()
    return home
