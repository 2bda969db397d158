"""What a site consists of: validated, with units in the names and bounds on every number.

Required fields are few; everything else has a documented default. Unknown fields are refused by name.
"""

from luna.site.connection import GridConnection
from luna.site.devices import MOST_C_RATE, Battery, Charger, DepthWear, ElectricVehicle, PvArray, require_chargeable
from luna.site.document import invalid_input, load_site, parse_site
from luna.site.heat import ComfortBand, CopPoint, HeatPump, HeatStore
from luna.site.inverter import Inverter
from luna.site.load import ComfortWindow, DeferrableLoad
from luna.site.model import Forecasting, ForecastVersion, InputSensors, Location, Sensors, Site
from luna.site.objective import Objective
from luna.site.part import Efficiency, EnergyKwh, Fraction, Name, Part, PowerKw, Price
from luna.site.strategy import OutageRule, PriceExtremesRule, SafetyIndex, Strategy, VacationRule
from luna.site.tariff import (
    OWN,
    OWN_EXPORT,
    OWN_IMPORT,
    BlockPrice,
    ClockWindow,
    FixedPrice,
    ImportRule,
    PeakPrice,
    PriceBand,
    PriceBlock,
    PriceRule,
    SeriesPrice,
    SpotPrice,
    Tariff,
    TimeOfUsePrice,
)

__all__ = [
    "MOST_C_RATE",
    "OWN",
    "OWN_EXPORT",
    "OWN_IMPORT",
    "Battery",
    "BlockPrice",
    "Charger",
    "ClockWindow",
    "ComfortBand",
    "ComfortWindow",
    "CopPoint",
    "DeferrableLoad",
    "DepthWear",
    "Efficiency",
    "ElectricVehicle",
    "EnergyKwh",
    "FixedPrice",
    "ForecastVersion",
    "Forecasting",
    "Fraction",
    "GridConnection",
    "HeatPump",
    "HeatStore",
    "ImportRule",
    "InputSensors",
    "Inverter",
    "Location",
    "Name",
    "Objective",
    "OutageRule",
    "Part",
    "PeakPrice",
    "PowerKw",
    "Price",
    "PriceBand",
    "PriceBlock",
    "PriceExtremesRule",
    "PriceRule",
    "PvArray",
    "SafetyIndex",
    "Sensors",
    "SeriesPrice",
    "Site",
    "SpotPrice",
    "Strategy",
    "Tariff",
    "TimeOfUsePrice",
    "VacationRule",
    "invalid_input",
    "load_site",
    "parse_site",
    "require_chargeable",
]
