"""The form of vehicles and their chargers in set-up."""

import math
from collections.abc import Mapping
from typing import Any

from luna.energy.devices.vehicle import CAR_KWH_PER_100_KM, Charger, ElectricVehicle
from luna.words import Numbers
from luna.words.pages import PageWords
from services.api.pages.setup.devices.battery import BATTERY_WORDS
from services.api.pages.setup.devices.car_names import (
    CAR_OR_TESLA,
    LEVEL_OF_OTHERS,
    PLUG_OF_OTHERS,
    PLUG_WORDS,
    RANGE_OF_OTHERS,
    RANGE_WORDS,
)
from services.api.pages.setup.devices.form import (
    LINE_BREAK,
    SWITCHED,
    DeviceForm,
    SensorHints,
    write_numbers,
)
from services.api.pages.setup.fields import Entry, FieldFault


def _compose(values: Mapping[str, Any]) -> dict[str, Any]:
    document = {"capacity_kwh": values["capacity_kwh"], "charge_limit_kw": values["power_kw"]}
    document |= {name: values[name] for name in ("km_per_year", "kwh_per_100_km") if name in values}
    if "phases" not in values:
        return document
    phases = [int(count) for count in values["phases"].split("_")]
    # Round up to a hundredth: with less the charger would not reach its power.
    full_current_a = values["power_kw"] * 1e5 / (max(phases) * Charger().voltage_v)
    charger = {
        "phases": phases,
        "min_current_a": values.get("least_current_a", Charger().min_current_a),
        "max_current_a": math.ceil(full_current_a) / 100,
    }
    return document | {"charger": charger}


def _answer(vehicle: ElectricVehicle) -> dict[str, str]:
    charger = vehicle.charger
    phases = sorted(set(charger.phases)) if charger else []
    numbers = write_numbers(
        capacity_kwh=vehicle.capacity_kwh,
        km_per_year=vehicle.km_per_year,
        kwh_per_100_km=vehicle.kwh_per_100_km,
        power_kw=vehicle.charge_limit_kw,
        least_current_a=(charger or Charger()).min_current_a,
    )
    return {"phases": "_".join(map(str, phases))} | numbers


def _find_weak_charger(values: Mapping[str, Any]) -> FieldFault | None:
    """Return the fault of a power below that of the least current.

    None if the phases are not known.
    """
    phases = int(values.get("phases", "0")[0])
    least_current_a = float(values.get("least_current_a", Charger().min_current_a))
    least_kw = round(phases * least_current_a * Charger().voltage_v / 1000, 2)
    if least_kw > values["power_kw"]:
        return FieldFault("power_kw", "least_current", {"bound": f"{least_kw:g}"})
    return None


def _follow_charger(before: ElectricVehicle, document: dict[str, Any]) -> None:
    """Derive the least power from a changed charger.

    A least power of the owner's own stays if the charger can do it.
    """
    stored = before.model_dump(mode="json")
    if all(document.get(part) == stored[part] for part in ("charge_limit_kw", "charger")):
        return
    without_own = before.model_dump(exclude={"min_charge_kw"})
    usual_kw = ElectricVehicle.model_validate(without_own).min_charge_kw
    if before.min_charge_kw == usual_kw or before.min_charge_kw > document["charge_limit_kw"]:
        document.pop("min_charge_kw", None)


def _review(vehicle: ElectricVehicle, words: PageWords, numbers: Numbers) -> str:
    text = words(
        "review_vehicle",
        capacity=numbers.number(vehicle.capacity_kwh, 1),
        power=numbers.number(vehicle.most_charge_kw, 1),
        least=numbers.number(vehicle.power_ranges[0][0], 1),
    )
    if vehicle.km_per_year is None:
        return text
    return text + LINE_BREAK + words("review_km", km=numbers.number(vehicle.km_per_year, 0))


FORM = DeviceForm(
    section="vehicles",
    singular="car",
    entries=(
        Entry("capacity_kwh", most=500, above=True, unit="kWh"),
        Entry("power_kw", least=1.4, most=400, default="11", unit="kW", assumed="charge_power"),
        # Of a charger; one of "1_3" switches by itself.
        Entry("phases", "choice", required=False, options=("", "1", "3", "1_3"), hint=True),
        Entry(
            "least_current_a",
            most=80,
            required=False,
            default="6",
            unit="A",
            hint=True,
            assumed="least_current",
        ),
        Entry("km_per_year", least=100, most=300_000, required=False, unit="km", hint=True),
        Entry(
            "kwh_per_100_km",
            least=5,
            most=100,
            required=False,
            default=f"{CAR_KWH_PER_100_KM:g}",
            unit="kWh",
            hint=True,
            assumed="kwh_per_100_km",
        ),
    ),
    compose=_compose,
    answer=_answer,
    find_fault=_find_weak_charger,
    follow=_follow_charger,
    review=_review,
    reviewed=frozenset({"capacity_kwh", "power_kw", "km_per_year"}),
    sensors={
        "vehicle_consumption": SensorHints(
            r"wallbox|charger|\bev\b|car|auto|vehicle", rf"{BATTERY_WORDS}|price"
        ),
        "vehicle_soc": SensorHints(CAR_OR_TESLA, LEVEL_OF_OTHERS),
        "vehicle_connected": SensorHints(
            PLUG_WORDS, PLUG_OF_OTHERS, also=CAR_OR_TESLA, units=(SWITCHED,)
        ),
        "vehicle_range": SensorHints(RANGE_WORDS, RANGE_OF_OTHERS, units=("km", "mi")),
    },
    controlled_as="vehicle",
)
