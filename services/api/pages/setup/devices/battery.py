"""The form of batteries in set-up."""

import math
from collections.abc import Mapping
from typing import Any

from luna.energy.devices.battery import (
    USUAL_CYCLES,
    USUAL_EURO_PER_KWH,
    USUAL_RESERVE,
    Battery,
    has_usual_wear,
    wear_price_of,
)
from luna.energy.part import PER_EURO
from luna.words import Numbers
from luna.words.pages import PageWords
from services.api.pages.setup.devices.car_names import CAR_NAMES
from services.api.pages.setup.devices.form import (
    LINE_BREAK,
    DeviceForm,
    SensorHints,
    write_numbers,
)
from services.api.pages.setup.fields import ON, Entry, FieldFault

# Names that belong to a battery.
BATTERY_WORDS = r"batter|speicher|akku|powerwall|storage"


def _compose(values: Mapping[str, Any]) -> dict[str, Any]:
    # Charging and discharging lose the same share.
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
        "wear_price": _compose_wear(values),
    }


def _compose_wear(values: Mapping[str, Any]) -> float:
    """Return the wear per kWh in or out, from the battery's price and cycles or the usual ones."""
    usable_kwh = values["capacity_kwh"] * (1 - values["reserve_percent"] / 100)
    per_euro = PER_EURO.get(values.get("currency", "EUR"), 1.0)
    usual_price = USUAL_EURO_PER_KWH * per_euro * usable_kwh
    price = values.get("battery_price", usual_price)
    return wear_price_of(price, usable_kwh, values.get("cycles", USUAL_CYCLES))


def _answer_price(battery: Battery) -> float | None:
    """Return the price at which the usual number of cycles gives a battery's wear.

    None: the usual price.
    """
    if has_usual_wear(battery):
        return None
    price = 2.0 * battery.wear_price * battery.capacity_kwh * (1.0 - battery.min_soc) * USUAL_CYCLES
    return round(price, 2)


def _answer(battery: Battery) -> dict[str, str]:
    switches = {
        "from_grid": ON if battery.charge_from_grid else "",
        "to_grid": ON if battery.discharge_to_grid else "",
    }
    return switches | write_numbers(
        capacity_kwh=battery.capacity_kwh,
        power_kw=battery.charge_limit_kw,
        reserve_percent=100 * battery.min_soc,
        efficiency_percent=round(100 * battery.round_trip, 2),
        battery_price=_answer_price(battery),
        cycles=USUAL_CYCLES,
    )


def _keep_wear(before: Battery, document: dict[str, Any]) -> None:
    """Keep the wear where capacity or reserve alone changed: nobody typed another price."""
    usable_kwh = document["capacity_kwh"] * (1 - document["min_soc"])
    price_before = _answer_price(before)
    if price_before is None:
        return
    if document["wear_price"] == wear_price_of(price_before, usable_kwh, USUAL_CYCLES):
        document["wear_price"] = before.wear_price


def _find_watts(values: Mapping[str, Any]) -> FieldFault | None:
    if values["power_kw"] > 20 * values["capacity_kwh"]:
        return FieldFault("power_kw", "watts")
    return None


def _review(battery: Battery, words: PageWords, numbers: Numbers) -> str:
    text = words(
        "review_battery",
        capacity=numbers.number(battery.capacity_kwh, 1),
        power=numbers.number(battery.charge_limit_kw, 1),
    )
    if battery.wear_by_depth:
        return text
    wear = words("review_wear", price=numbers.price(2.0 * battery.wear_price, decimals=1))
    return text + LINE_BREAK + wear


FORM = DeviceForm(
    section="batteries",
    singular="battery",
    entries=(
        Entry("capacity_kwh", most=2_000, above=True, unit="kWh"),
        Entry("power_kw", most=2_000, above=True, unit="kW", hint=True),
        Entry(
            "reserve_percent",
            most=90,
            default=f"{100 * USUAL_RESERVE:g}",
            unit="%",
            hint=True,
            assumed="reserve",
        ),
        Entry(
            "efficiency_percent",
            least=50,
            most=100,
            default="90",
            unit="%",
            hint=True,
            assumed="efficiency",
        ),
        Entry("battery_price", most=10_000_000, required=False, hint=True, assumed="wear"),
        Entry(
            "cycles",
            least=100,
            most=100_000,
            required=False,
            default=f"{USUAL_CYCLES:g}",
            hint=True,
            assumed="wear",
        ),
        Entry("from_grid", "switch", default=ON, assumed="charges_from_grid"),
        Entry("to_grid", "switch", default=ON, assumed="sells_to_grid"),
    ),
    compose=_compose,
    answer=_answer,
    find_fault=_find_watts,
    follow=_keep_wear,
    review=_review,
    # Wear is said as what follows from price and cycles.
    reviewed=frozenset({"capacity_kwh", "power_kw", "battery_price", "cycles"}),
    sensors={
        "total_battery_charge": SensorHints(
            r"(?<!dis)charg|laden|geladen|\bin\b",
            r"discharg|entlad|car|auto|wallbox|\bev\b",
            also=BATTERY_WORDS,
            statistic=("battery", "stat_energy_to"),
        ),
        "total_battery_discharge": SensorHints(
            r"discharg|entlad|\bout\b",
            r"car|auto|wallbox|\bev\b",
            also=BATTERY_WORDS,
            statistic=("battery", "stat_energy_from"),
        ),
        "battery_soc": SensorHints(
            r"soc|state.of.charge|ladezustand|ladestand|speicher|powerwall|inverter|home|"
            r"house|storage",
            rf"phone|watch|tablet|car|auto|remote|{CAR_NAMES}",
        ),
    },
    controlled_as="battery",
    first=True,
)
