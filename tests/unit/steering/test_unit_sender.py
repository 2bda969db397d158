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


class RationedCharger(SpentCharger):
    """A charger whose current may be written three times more today."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 3

    def apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            self.value = write.value
            self.left -= 1

    def read_writes_left(self, place: str) -> float:
        assert place == "profile:vehicle:car"
        return self.left


def test_what_is_left_of_a_chargers_writes_is_known_after_each_change() -> None:
    clock = Clock()
    charger = RationedCharger()
    sender = UnitSender("home", make_unit(), lambda: charger, clock=clock)
    assert sender.writes_left == {}
    for left, power_kw in ((2, 11.0), (1, 9.0)):
        setpoint = VehicleSetpoint(mode="charge", charge_kw=power_kw)
        sender.send(UnitCommand("1", {"car": setpoint}, "as_planned", clock.now()))
        current = sender.command
        assert current is not None
        sender.advance(current)
        assert sender.writes_left == {"car": left}


class PhasedCharger(RationedCharger):
    """A charger that refuses its number of phases once it is commanded."""

    def keeps_phases(self, place: str) -> bool | None:
        assert place == "profile:vehicle:car"
        return True if self.value else None


def test_a_charger_that_refuses_its_phases_is_known_once_it_was_commanded() -> None:
    clock = Clock()
    charger = PhasedCharger()
    sender = UnitSender("home", make_unit(), lambda: charger, clock=clock)
    setpoint = VehicleSetpoint(mode="charge", charge_kw=11)
    sender.send(UnitCommand("1", {"car": setpoint}, "as_planned", clock.now()))
    current = sender.command
    assert current is not None
    assert sender.state is not None
    assert sender.state.keeps_phases is None
    sender.advance(current)
    assert sender.state.keeps_phases


def make_unit() -> ChargerUnit:
    """Return the unit of a charger that Luna drives itself."""
    site = parse_site(
        {
            "name": "home",
            "timezone": "Europe/Berlin",
            "vehicles": [{"name": "car", "capacity_kwh": 60, "charger": {"phases": [3]}}],
        }
    )
    control = VehicleControl(vehicle="car", via=Via(profile="go_e_charger", host="192.168.1.20"))
    return ChargerUnit(site, site.vehicles[0], control)


def test_once_the_days_writes_are_spent_a_stop_is_still_sent() -> None:
    clock = Clock()
    charger = SpentCharger()
    sender = UnitSender("home", make_unit(), lambda: charger, clock=clock)

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
