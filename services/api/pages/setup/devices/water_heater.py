"""The form of water heaters in set-up, the only loads that it asks for."""

from collections.abc import Mapping
from typing import Any

from luna.energy.devices.appliance import USUAL_HEATER_KW, USUAL_HEATER_KWH, DeferrableLoad
from services.api.pages.setup.devices.form import DeviceForm, SensorHints, write_numbers
from services.api.pages.setup.fields import Entry

_KIND = "water_heater"


def _compose(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": _KIND,
        "power_kw": values["power_kw"],
        "energy_kwh_per_day": values["energy_kwh_per_day"],
    }


def _answer(heater: DeferrableLoad) -> dict[str, str]:
    return write_numbers(power_kw=heater.power_kw, energy_kwh_per_day=heater.energy_kwh_per_day)


def _is_water_heater(load: DeferrableLoad) -> bool:
    return load.kind == _KIND and not load.profile_kw


FORM = DeviceForm(
    section="loads",
    singular=_KIND,
    entries=(
        Entry(
            "power_kw",
            most=100,
            above=True,
            default=f"{USUAL_HEATER_KW:g}",
            unit="kW",
            assumed="heater_power",
        ),
        Entry(
            "energy_kwh_per_day",
            most=1_000,
            default=f"{USUAL_HEATER_KWH:g}",
            unit="kWh",
            assumed="hot_water",
        ),
    ),
    compose=_compose,
    answer=_answer,
    reviewed=frozenset({"power_kw"}),
    asks_for=_is_water_heater,
    sensors={
        "water_heater_consumption": SensorHints(
            r"water.heater|boiler|heizstab|warmwasser|hot.water"
        )
    },
    controlled_as="load",
)
