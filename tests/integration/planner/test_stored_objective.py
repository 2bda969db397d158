from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import weather_carbon
from services.planner.service.state import read_planned_modes
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site

START = datetime(2024, 2, 1, tzinfo=UTC)
BATTERY = {"capacity_kwh": 4, "charge_limit_kw": 2, "discharge_limit_kw": 2}
BANDS = [
    {"from": "00:00", "to": "08:00", "price": 0.20},
    {"from": "16:00", "to": "24:00", "price": 0.30},
]
TARIFF = {
    "import": {"kind": "time_of_use", "default": 0.24, "bands": BANDS},
    "export": {"kind": "fixed", "price": 0.05},
}


@pytest.fixture
def green_site(connection: Connection) -> str:
    """A stored site that weighs carbon, with a forecast of two days.

    The carbon of one day was measured: clean at noon.
    """
    site = {
        "name": "green site",
        "timezone": "UTC",
        "batteries": [BATTERY],
        "tariff": TARIFF,
        "objective": {"carbon_price_per_kg": 0.3},
    }
    store_site(connection, **site)
    issue_half_a_kilowatt(connection, "green site", START)
    return "green site"


def measure_carbon(connection: Connection) -> None:
    starts = Timeline(START - timedelta(days=1), SLOT, 96).starts
    values = {"carbon_g_per_kwh": np.repeat([800.0, 100.0, 600.0], 32)}
    weather_carbon.upsert(
        connection, "carbon_intensity", "green site", starts, values=values, issued_at=None
    )


def test_a_stored_site_weighs_the_carbon_known_at_the_start(
    connection: Connection, green_site: str
) -> None:
    measure_carbon(connection)
    reply = plan_stored(connection, green_site, START)
    charged = np.array([slot.batteries["battery"].charge_kwh for slot in reply.slots[:96]])
    assert charged[:32].sum() == pytest.approx(0.0, abs=1e-6)
    assert charged[32:64].sum() > 1.0
    assert reply.objective is not None
    assert reply.objective.beside_cheapest is not None
    assert reply.objective.beside_cheapest.cost > 0
    assert reply.cost.carbon_g is not None


def test_a_stored_site_without_carbon_is_planned_by_cost_and_says_so(
    connection: Connection, green_site: str
) -> None:
    reply = plan_stored(connection, green_site, START)
    assert reply.status == "compromised"
    assert reply.objective is not None
    assert reply.objective.reasons == ["no_carbon_intensity"]


def test_a_stored_site_goes_on_with_the_mode_of_its_plan_before(
    connection: Connection, green_site: str
) -> None:
    told = plan_stored(connection, green_site, START).setpoints["battery"].mode
    later = START + 3 * SLOT
    assert read_planned_modes(connection, green_site, later) == {"battery": told[2]}
    assert read_planned_modes(connection, green_site, START) == {}
