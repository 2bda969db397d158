"""How full a battery is when it is told something: what its power cannot have done is waited
for.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from luna.drivers.control.device import DeviceError, DryRun
from luna.energy.site import parse_site
from services.executor.step_inputs import SocReader

START = datetime(2024, 2, 1, 12, tzinfo=UTC)
SITE = parse_site(
    {
        "name": "home",
        "timezone": "UTC",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    }
)
PLACES = {"battery": "sensor.soc"}


class Restarting(DryRun):
    """A device that says what it is made to say, or nothing."""

    says: str | None = None

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        if self.says is None:
            raise DeviceError("nobody answers")
        return dict.fromkeys(places, self.says)


def test_a_battery_that_is_said_to_be_empty_at_once_is_believed_after_a_quarter_hour() -> None:
    device = Restarting()
    reader = SocReader()

    def read(says: str | None, minutes: float) -> float:
        device.says = says
        return reader.read(device, PLACES, now=START + timedelta(minutes=minutes), site=SITE)[
            "battery"
        ]

    assert [read(*each) for each in (("43", 0), ("0", 1), ("0", 10), ("0", 16))] == [
        0.43,
        0.43,
        0.43,
        0.0,
    ]
    assert read(None, 17) == 0.0
    assert math.isnan(read(None, 19))
    assert math.isnan(read("unavailable", 20))
    # Nor is it known from before the clock was put back.
    assert read("3", 40) == 0.03
    assert math.isnan(read(None, 20))
