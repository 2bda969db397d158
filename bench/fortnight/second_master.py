"""Another program that commands a product beside Luna."""

from bench.fortnight.direct_link import WriteTimes, link_points
from luna.contracts.control import BatterySetpoint
from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_writes import plan_command
from luna.drivers.profiled_device import ProfiledDevice
from luna.drivers.simulated_charge_point import SimulatedLoad
from luna.simulated_home.charger import HomeCharger
from luna.simulated_home.product import HomeProduct

LEAST_CHARGE = DeviceCommand("charge", current_a=6, phases=3, power_w=6 * 3 * 230)
HOLD = BatterySetpoint(mode="hold", power_kw=0.0)


def command_as_other(product: HomeProduct) -> None:
    """Change a product's command as another program does: to what Luna does not command now."""
    device = ProfiledDevice(product.profile, link_points(product, WriteTimes()), now=product.now)
    if isinstance(product, HomeCharger):
        is_charging = product.offered_a > 0
        values = plan_command(device, DeviceCommand("stop") if is_charging else LEAST_CHARGE)
    elif isinstance(product, SimulatedLoad):
        is_on = product.mode == "on"
        values = plan_command(device, DeviceCommand("off" if is_on else "on", power_w=1000.0))
    else:
        values = device.plan_writes(HOLD)
    device.points.write(values)
