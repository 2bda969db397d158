"""A home that does not exist: how its devices behave, what its sensors are called, and where its files lie.

Nothing here is taken from ``luna.physics``: what Luna believes of a battery is judged by a battery that was written apart.
"""

from luna.simulated_home.battery import BatteryCharge, BatteryModel, Command
from luna.simulated_home.files import Faults, HomeFiles, HomeSetup
from luna.simulated_home.house import BATTERY_MODEL, HomeState, advance, measure
from luna.simulated_home.market import publish_prices
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import MARKET, MODES, SITE_NAME, TOPICS, ZONE, build_site, is_simulated

__all__ = [
    "BATTERY_MODEL",
    "MARKET",
    "MODES",
    "SITE_NAME",
    "TOPICS",
    "ZONE",
    "BatteryCharge",
    "BatteryModel",
    "Command",
    "Faults",
    "HomeFiles",
    "HomeSetup",
    "HomeState",
    "RecordedYear",
    "advance",
    "build_site",
    "is_simulated",
    "measure",
    "publish_prices",
]
