"""A home that does not exist: how its devices behave, what its sensors are called, and where its files lie.

Nothing here is taken from ``luna.energy.physics``: what Luna believes of a battery is judged by a battery that was written apart.
"""

from luna.platform.simulated_home.battery import BatteryCharge, BatteryModel, Command
from luna.platform.simulated_home.car import CAR_MODEL, CarState, ChargerCommand
from luna.platform.simulated_home.files import Faults, HomeFiles, HomeSetup, let_go
from luna.platform.simulated_home.heater import HEATER_MODEL, HeaterState
from luna.platform.simulated_home.house import BATTERY_MODEL, HomeState, advance, measure
from luna.platform.simulated_home.market import AWAITED, PriceOrigin, find_price_origin, publish_prices
from luna.platform.simulated_home.recorded_year import RecordedYear
from luna.platform.simulated_home.site import CAR, HEATER, MARKET, MODES, REAL_MARKET, SITE_NAME, SUBMETERS, TOPICS, ZONE, build_site, is_simulated, list_stays
from luna.platform.simulated_home.trips import trip_of

__all__ = [
    "AWAITED",
    "BATTERY_MODEL",
    "CAR",
    "CAR_MODEL",
    "HEATER",
    "HEATER_MODEL",
    "MARKET",
    "MODES",
    "REAL_MARKET",
    "SITE_NAME",
    "SUBMETERS",
    "TOPICS",
    "ZONE",
    "BatteryCharge",
    "BatteryModel",
    "CarState",
    "ChargerCommand",
    "Command",
    "Faults",
    "HeaterState",
    "HomeFiles",
    "HomeSetup",
    "HomeState",
    "PriceOrigin",
    "RecordedYear",
    "advance",
    "build_site",
    "find_price_origin",
    "is_simulated",
    "let_go",
    "list_stays",
    "measure",
    "publish_prices",
    "trip_of",
]
