"""Put a product into the simulated home, by the kind of its profile."""

from luna.drivers.profile import DeviceProfile
from luna.simulated_home.charger import HomeCharger
from luna.simulated_home.house import HomeState
from luna.simulated_home.inverter import HomeInverter
from luna.simulated_home.product import HomeProduct
from luna.simulated_home.switch import HomeSwitch


def make_product(profile: DeviceProfile, state: HomeState) -> HomeProduct:
    """Return the product of a profile in front of the home's battery, car or heater."""
    match profile.kind:
        case "charge_point":
            return HomeCharger(profile, state)
        case "switched_load":
            return HomeSwitch(profile, state)
    return HomeInverter(profile, state)
