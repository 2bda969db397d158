"""An override from today into tomorrow: what the device is told, and what timeline and page say,
over plans made anew until it ends.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import pytest

from luna.contracts.control import BatterySetpoint
from luna.energy.timeline import SLOT
from luna.platform.embedded.supervisor import Addresses
from tests.support.control.executor import START, Home
from tests.support.control.inverters import Inverter
from tests.support.gateway.server import serve as serve_gateway
from tests.support.words.wording import wording, wording_pattern

HOUR = timedelta(hours=1)
# It is Thursday, 13:00 in Berlin; the override ends on Friday at 11:00.
END = START + 21 * HOUR + 4 * SLOT
EXPORT = BatterySetpoint(mode="export", power_kw=2, target_soc=0.2)


@pytest.fixture
def api(armed: Home, database_url: str, redis_url: str) -> Iterator[httpx.Client]:
    with serve_gateway(
        Addresses(database_url=database_url, redis_url=redis_url), armed.clock
    ) as client:
        yield client


def owned(api: httpx.Client, home: Home) -> list[tuple[datetime, str]]:
    """The slots that the timeline gives to the owner from now on, and what is done in them."""
    told = api.get(f"/v1/sites/{home.name}/timeline").json()
    first = datetime.fromisoformat(told["start"])
    decided = told["decisions"]
    columns = zip(decided["decided_by"], decided["mode"], strict=True)
    return [
        (first + place * SLOT, mode)
        for place, (by, mode) in enumerate(columns)
        if by == "owner" and place >= told["past_slots"]
    ]


def read(api: httpx.Client, home: Home, language: str = "en") -> str:
    page = api.get(f"/ui/sites/{home.name}/home", headers={"Accept-Language": language}).text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u00a0", " ")


def test_an_override_into_tomorrow_survives_plans_made_anew_is_shown_with_its_day_and_expires(
    armed: Home, inverter: Inverter, api: httpx.Client
) -> None:
    armed.plan(*[EXPORT] * 192)
    armed.turn()
    wanted = {"mode": "charge", "until": END.isoformat()}
    assert api.post(f"/ui/sites/{armed.name}/home/override", data=wanted).status_code == 303
    armed.turn(timedelta(minutes=1))
    armed.plan(*[EXPORT] * 192, at=START + HOUR)
    armed.turn(HOUR)
    # The plan made anew says export, and it counts for nobody.
    assert inverter.modes == ["Force Discharge", "Force Charge", "Force Charge"]
    # From 14:00 in Berlin until 11:00 of the next day: 21 hours of four slots, each as the owner
    # said.
    assert owned(api, armed) == [(START + HOUR + place * SLOT, "charge") for place in range(84)]
    charge = wording("modes", "mode_charge")
    english = wording("home", "notice_override", mode=charge, t="tomorrow 11:00")
    charge = wording("modes", "mode_charge", "de")
    german = wording("home", "notice_override", "de", mode=charge, t="morgen 11:00")
    assert english in read(api, armed)
    assert german in read(api, armed, "de")
    why = api.get(f"/ui/sites/{armed.name}/home/why", params={"at": (END - SLOT).isoformat()}).text
    assert wording("battery_reasons", "reason_manual_1", time="Fri 11:00") in why
    # The usual tariff.
    assert wording("home", "prices", sell="0\u00a0ct", buy="30\u00a0ct") in why
    armed.clock.instant = END
    armed.plan(*[EXPORT] * 192, at=END - HOUR)
    armed.turn()
    assert inverter.modes[3:] == ["Force Discharge"]
    assert owned(api, armed) == []
    assert not wording_pattern("home", "notice_override").search(read(api, armed))
