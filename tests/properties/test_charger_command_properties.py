"""A charger that Luna speaks to itself never receives more than the safety layer allows."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from luna.contracts.control import VehicleSetpoint
from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_writes import plan_command
from luna.drivers.control.units import list_units
from luna.drivers.control.units.unit import UnitLimit
from luna.drivers.points import DeviceIdentity, PointValue
from luna.drivers.profiled_device import ProfiledDevice
from luna.drivers.profiles import list_profiles
from luna.energy.site import parse_site

CHARGE_POINTS = [profile for profile in list_profiles() if profile.kind == "charge_point"]
NO_FOLDER = Path("/nonexistent")


class NoPoints:
    """A device whose limits are unknown."""

    place = "nowhere"

    def identify(self) -> DeviceIdentity | None:
        return None

    def read(self, names: object) -> dict[str, float]:
        return dict.fromkeys(names, float("nan"))  # type: ignore[call-overload]

    def hold(self, values: object) -> list[bool]:
        return []

    def write(self, values: object) -> None:
        return None

    def close(self) -> None:
        return None


@given(
    profile=st.sampled_from(CHARGE_POINTS),
    phases=st.sampled_from([[1], [3], [1, 3]]),
    most_a=st.floats(8, 40),
    mode=st.sampled_from(["charge", "stop", "own"]),
    wanted_kw=st.floats(0, 50),
    left_kw=st.floats(0, 30),
)
def test_no_command_carries_more_than_is_safe(
    profile: object, phases: list[int], most_a: float, mode: str, wanted_kw: float, left_kw: float
) -> None:
    chosen = next(known for known in CHARGE_POINTS if known is profile)
    site = parse_site(
        {
            "name": "home",
            "timezone": "Europe/Berlin",
            "vehicles": [
                {
                    "name": "car",
                    "capacity_kwh": 60,
                    "charge_limit_kw": 22,
                    "charger": {"phases": phases, "max_current_a": most_a},
                }
            ],
            "control": {
                "by": "profile",
                "vehicles": [{"vehicle": "car", "via": {"profile": "keba_p30", "host": "h"}}],
            },
        }
    )
    [unit] = list_units(site, site.control).values()
    wanted = VehicleSetpoint.model_validate({"mode": mode, "charge_kw": wanted_kw})
    limit = UnitLimit(import_kw={"car": left_kw})
    safe = unit.make_safe({"car": wanted}, {}, limit)["car"]
    [write] = unit.render({"car": safe})
    command = DeviceCommand.parse(write.value)
    assert str(command) == write.value
    if command.mode == "stop":
        return
    assert isinstance(safe, VehicleSetpoint)
    used = command.known_phases or max(phases)
    power_kw = (command.current_a or 0) * used * 230 / 1000
    allowed_kw = site.vehicles[0].most_charge_kw if safe.mode == "own" else safe.charge_kw
    assert power_kw <= allowed_kw + 1e-6
    assert power_kw <= left_kw + 1e-6
    assert (command.current_a or 0) <= most_a
    device = ProfiledDevice(chosen, NoPoints())
    planned: dict[str, PointValue] = {write.point: write for write in plan_command(device, command)}
    for part in chosen.modes.get("charge", ()):
        if part.put == "current_a" and part.write in planned:
            assert planned[part.write].value <= (command.current_a or 0) + 1e-6
