"""The site model: household, tariff, devices, sensors and control.

It is validated, with units in the names and bounds on every number. Few fields are required; all
others have a documented default. Unknown fields are refused by name.
"""

from luna.energy.site.document import explain_faults, invalid_input, parse_site
from luna.energy.site.household import Household, LoadBasis
from luna.energy.site.model import (
    Forecasting,
    ForecastVersion,
    Location,
    OutageRule,
    PriceExtremesRule,
    SafetyIndex,
    Site,
    Strategy,
    VacationRule,
)
from luna.energy.site.sensors import (
    LEVELS,
    OWN_VACATION,
    SENSOR_ROLES,
    SUBMETERED,
    InputSensors,
    SiteSensor,
    measured_series,
)
from luna.energy.site.tariff import (
    BaseCharge,
    BlockPrice,
    FixedPrice,
    ImportRule,
    Objective,
    PeakPrice,
    PriceBand,
    PriceRule,
    SeriesPrice,
    SpotPrice,
    Tariff,
    TimeOfUsePrice,
)
from luna.energy.tariffs.blocks import PriceBlock
from luna.energy.tariffs.component import OWN, OWN_EXPORT, OWN_IMPORT

__all__ = [
    "LEVELS",
    "OWN",
    "OWN_EXPORT",
    "OWN_IMPORT",
    "OWN_VACATION",
    "SENSOR_ROLES",
    "SUBMETERED",
    "BaseCharge",
    "BlockPrice",
    "FixedPrice",
    "ForecastVersion",
    "Forecasting",
    "Household",
    "ImportRule",
    "InputSensors",
    "LoadBasis",
    "Location",
    "Objective",
    "OutageRule",
    "PeakPrice",
    "PriceBand",
    "PriceBlock",
    "PriceExtremesRule",
    "PriceRule",
    "SafetyIndex",
    "SeriesPrice",
    "Site",
    "SiteSensor",
    "SpotPrice",
    "Strategy",
    "Tariff",
    "TimeOfUsePrice",
    "VacationRule",
    "explain_faults",
    "invalid_input",
    "measured_series",
    "parse_site",
]
