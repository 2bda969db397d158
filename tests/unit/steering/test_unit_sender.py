"""A device whose day's writes are spent still gets what it may take: less, or nothing."""

from collections.abc import Sequence
from datetime import timedelta

from luna.contracts.control import VehicleSetpoint
from luna.contracts.device_template import Write
from luna.drivers.control.device import DeviceError
from luna.drivers.control.units.vehicle import ChargerUnit
from luna.energy.devices.commands import Via
from luna.energy.devices.vehicle import VehicleControl
from luna.energy.site import parse_site
from services.steering.unit_sender import UnitCommand, UnitSender
from tests.support.control.executor import START, Clock


class SpentCharger:
    """A charger that takes nothing but a stop until tomorrow."""

    def __init__(self) -> None:
        self.value = ""
        self.refused = 0

    def apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if write.value != "stop":
                self.refused += 1
                raise DeviceError("spent", field=write.to).because(
                    "device-writes-spent", {"until": (START + timedelta(days=1)).isoformat()}
                )
            self.value = write.value

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        return dict.fromkeys(places, self.value or "own")

    def close(self) -> None:
        pass


def test_once_the_days_writes_are_spent_a_stop_is_still_sent() -> None:
    clock = Clock()
    charger = SpentCharger()
    site = parse_site(
        {
            "name": "home",
            "timezone": "Europe/Berlin",
            "vehicles": [{"name": "car", "capacity_kwh": 60, "charger": {"phases": [3]}}],
        }
    )
    control = VehicleControl(vehicle="car", via=Via(profile="go_e_charger", host="192.168.1.20"))
    unit = ChargerUnit(site, site.vehicles[0], control)
    sender = UnitSender("home", unit, lambda: charger, clock=clock)

    def command(target: str, setpoint: VehicleSetpoint) -> None:
        sender.send(UnitCommand(target, {"car": setpoint}, "as_planned", clock.now()))
        for _ in range(3):
            clock.instant += timedelta(seconds=31)
            current = sender.command
            assert current is not None
            sender.advance(current)

    command("1", VehicleSetpoint(mode="charge", charge_kw=11))
    # It is not sent again and again.
    assert charger.refused == 1
    assert sender.state is not None
    assert sender.state.spent_until == START + timedelta(days=1)
    command("2", VehicleSetpoint(mode="stop", charge_kw=0))
    assert charger.value == "stop"
    assert sender.state.confirmed
    assert sender.state.spent_until is None
