"""What set-up asks of batteries."""

import math
from collections.abc import Mapping
from typing import Any

from luna.energy.devices.battery import Battery
from luna.words import Numbers
from luna.words.pages import PageWords
from services.api.pages.setup.devices.form import DeviceForm, SensorHints, write_numbers
from services.api.pages.setup.fields import ON, Entry, FieldFault

# What is called so is a battery, or of one.
BATTERY_WORDS = r"batter|speicher|akku|powerwall|storage"


def _compose(values: Mapping[str, Any]) -> dict[str, Any]:
    # What is lost on the way in and out again is lost half on each way.
    one_way = round(math.sqrt(values["efficiency_percent"] / 100), 4)
    return {
        "capacity_kwh": values["capacity_kwh"],
        "charge_limit_kw": values["power_kw"],
        "discharge_limit_kw": values["power_kw"],
        "min_soc": values["reserve_percent"] / 100,
        "charge_efficiency": one_way,
        "discharge_efficiency": one_way,
        "charge_from_grid": values["from_grid"],
        "discharge_to_grid": values["to_grid"],
    }


def _answer(battery: Battery) -> dict[str, str]:
    switches = {"from_grid": ON if battery.charge_from_grid else "", "to_grid": ON if battery.discharge_to_grid else ""}
    return switches | write_numbers(
        capacity_kwh=battery.capacity_kwh,
        power_kw=battery.charge_limit_kw,
        reserve_percent=100 * battery.min_soc,
        efficiency_percent=round(100 * battery.charge_efficiency * battery.discharge_efficiency, 2),
    )


def _find_watts(values: Mapping[str, Any]) -> FieldFault | None:
    return FieldFault("power_kw", "watts") if values["power_kw"] > 20 * values["capacity_kwh"] else None


def _review(battery: Battery, words: PageWords, numbers: Numbers) -> str:
    return words("review_battery", capacity=numbers.number(battery.capacity_kwh, 1), power=numbers.number(battery.charge_limit_kw, 1))


FORM = DeviceForm(
    section="batteries",
    singular="battery",
    entries=(
        Entry("capacity_kwh", most=2_000, above=True, unit="kWh"),
        Entry("power_kw", most=2_000, above=True, unit="kW", hint=True),
        Entry("reserve_percent", most=90, default="10", unit="%"),
        Entry("efficiency_percent", least=50, most=100, default="90", unit="%", hint=True),
        Entry("from_grid", "switch", default=ON),
        Entry("to_grid", "switch", default=ON),
    ),
    compose=_compose,
    answer=_answer,
    find_fault=_find_watts,
    review=_review,
    sensors={
        "total_battery_charge": SensorHints(
            r"(?<!dis)charg|laden|geladen|\bin\b",
            r"discharg|entlad|car|auto|wallbox|\bev\b",
            also=BATTERY_WORDS,
            statistic=("battery", "stat_energy_to"),
        ),
        "total_battery_discharge": SensorHints(
            r"discharg|entlad|\bout\b", r"car|auto|wallbox|\bev\b", also=BATTERY_WORDS, statistic=("battery", "stat_energy_from")
        ),
        "battery_soc": SensorHints(
            r"soc|state.of.charge|ladezustand|ladestand|speicher|powerwall|inverter|home|house|storage",
            r"phone|watch|tablet|car|auto|\bev\b|remote",
        ),
    },
    controlled_as="battery",
    first=True,
)
