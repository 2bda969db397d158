"""The documented example describes a valid site and names every field of the model."""

import re
from pathlib import Path

from pydantic import BaseModel

from luna.energy import sensor_roles
from luna.energy import site as model
from luna.energy.devices import appliance, battery, grid, heat_pump, inverter, pv, vehicle
from luna.energy.site.control import Control
from services.cli.site import load_site
from tests.support.suite.tables import each_row

EXAMPLE = Path(__file__).parents[3] / "config" / "site.yaml"
PARTS = [
    model.Site,
    model.Location,
    grid.GridConnection,
    battery.Battery,
    pv.PvArray,
    inverter.Inverter,
    vehicle.ElectricVehicle,
    vehicle.Charger,
    appliance.DeferrableLoad,
    appliance.ComfortWindow,
    heat_pump.HeatPump,
    heat_pump.HeatStore,
    heat_pump.CopPoint,
    heat_pump.ComfortBand,
    model.FixedPrice,
    model.PriceBand,
    model.TimeOfUsePrice,
    model.SpotPrice,
    model.SeriesPrice,
    model.BlockPrice,
    model.PriceBlock,
    model.PeakPrice,
    model.Tariff,
    model.InputSensors,
    sensor_roles.DatedSensor,
    model.Strategy,
    model.VacationRule,
    model.OutageRule,
    model.PriceExtremesRule,
    model.SafetyIndex,
    Control,
    battery.BatteryControl,
    battery.ControlWrite,
]


def test_the_example_loads() -> None:
    site = load_site(EXAMPLE)
    assert (site.name, len(site.batteries), len(site.pv), len(site.vehicles), len(site.loads)) == (
        "home",
        1,
        1,
        1,
        2,
    )


@each_row("part", PARTS, ids=lambda part: part.__name__)
def test_the_example_names_every_field(part: type[BaseModel]) -> None:
    named = set(re.findall(r"\b(\w+):", EXAMPLE.read_text(encoding="utf-8")))
    assert {field.alias or name for name, field in part.model_fields.items()} <= named
