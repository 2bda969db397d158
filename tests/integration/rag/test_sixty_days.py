"""Sixty days of a reader who looks at the page twice a day: each tip is true on its day, there is
one a day at most, and nobody is told of the document that they have just added.

The worth of a tip is computed here by hand, from the house as it is described.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.recommendations import Recommendation, RefreshRecommendationsRequest
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import observations
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.documents import documents
from services.rag.recommending.choosing import record_events
from services.rag.recommending.stock import refresh
from tests.integration.rag.test_refreshing import add_document
from tests.support.database.site import stored_site
from tests.support.documents.recommended_items import choose, clean, tell_of

SITE = "lived"
DAYS = 60
FIRST = datetime(2024, 1, 7, 23, tzinfo=UTC)
BANDS = [{"from": "22:00", "to": "06:00", "price": 0.2}]
TARIFF = {"import": {"kind": "time_of_use", "default": 0.4, "bands": BANDS}}
HOUSE_KWH = 0.1
TANK_KWH = 0.5
# The tank heats from 20:00 to 21:00, in the dear band.
TANK_SLOTS = slice(80, 84)
ADDED_ON = 10
# 20 W less, for eight cheap and sixteen dear hours a day.
STANDBY_A_YEAR = 365.25 * 0.02 * (8 * 0.2 + 16 * 0.4)
# Two kWh a day, each 20 cents cheaper two hours later.
SHIFTED_A_YEAR = 365.25 * 2.0 * 0.2


@pytest.fixture
def house(database: Engine) -> Iterator[Engine]:
    with clean(database), stored_site(database, name=SITE, tariff=TARIFF):
        yield database
        with unit_of_work(database) as connection:
            connection.execute(documents.delete().where(documents.c.document_id.like("doc-%")))


def live(connection: Connection, start: datetime) -> None:
    """Record a day of the house."""
    timeline = Timeline(start, SLOT, 96)
    house = np.full(timeline.count, HOUSE_KWH)
    tank = np.zeros(timeline.count)
    tank[TANK_SLOTS] = TANK_KWH
    nothing = np.zeros(timeline.count)
    series = {
        "load_kwh": house,
        "water_heater_kwh": tank,
        "import_kwh": house + tank,
        "export_kwh": nothing,
        "pv_kwh": nothing,
    }
    observations.write(connection, SITE, timeline.starts, series)


def look(database: Engine, now: datetime, seed: int) -> list[Recommendation]:
    """Return what the page shows, as it asks for it."""
    with unit_of_work(database) as connection:
        return choose(connection, site_id=SITE, k=1, unasked=True, now=now, seed=seed)


def test_sixty_days_of_tips_are_true_and_one_a_day_at_most(house: Engine) -> None:
    shown_by_day: dict[date, set[str]] = {}
    savings: dict[str, list[float]] = {}
    document_seen: list[int] = []
    for number in range(DAYS):
        start = FIRST + timedelta(days=number)
        night = start + timedelta(hours=26)
        with unit_of_work(house) as connection:
            live(connection, start)
        if number == ADDED_ON:
            with unit_of_work(house) as connection:
                add_document(connection, "doc-lived", "Manual of the tank")
        refresh(house, RefreshRecommendationsRequest(site_id=SITE), embedder=None, now=night)
        for hours in (6, 17):
            shown = look(house, night + timedelta(hours=hours), seed=2 * number + hours)
            shown_by_day.setdefault(night.date(), set()).update(tip.item_id for tip in shown)
            for tip in shown:
                if tip.saving_cost_per_year is not None:
                    savings.setdefault(tip.title, []).append(tip.saving_cost_per_year)
                if tip.document_id is not None:
                    document_seen.append(number)
        with unit_of_work(house) as connection:
            record_events(connection, tell_of(shown, "shown"), now=night + timedelta(hours=17))
    assert max(len(items) for items in shown_by_day.values()) == 1
    assert document_seen
    assert min(document_seen) > ADDED_ON
    worth = sorted(savings.values(), key=lambda values: values[0])
    assert len(worth) == 2
    np.testing.assert_allclose(worth[0], STANDBY_A_YEAR, rtol=1e-6)
    np.testing.assert_allclose(worth[1], SHIFTED_A_YEAR, rtol=1e-6)
