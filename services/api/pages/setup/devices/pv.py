"""The form of PV arrays in set-up."""

from collections.abc import Mapping
from typing import Any

from luna.energy.devices.pv import NORTH_DEG, SOUTH_DEG, PvArray
from services.api.pages.setup.devices.battery import BATTERY_WORDS
from services.api.pages.setup.devices.form import DeviceForm, SensorHints, write_numbers
from services.api.pages.setup.fields import DIRECTIONS, Entry


def _compose(values: Mapping[str, Any]) -> dict[str, Any]:
    names = ("peak_kw", "tilt_deg", "azimuth_deg", "shading")
    return {name: values[name] for name in names if name in values}


def _answer(array: PvArray) -> dict[str, str]:
    return {"shading": array.shading or ""} | write_numbers(
        peak_kw=array.peak_kw, tilt_deg=array.tilt_deg, azimuth_deg=array.azimuth_deg
    )


FORM = DeviceForm(
    section="pv",
    singular="roof",
    entries=(
        Entry("peak_kw", most=2_000, above=True, unit="kW"),
        Entry("tilt_deg", most=90, default="30", unit="°", assumed="facing"),
        Entry(
            "azimuth_deg",
            "bearing",
            most=359.9,
            options=DIRECTIONS,
            default=f"{SOUTH_DEG:g}",
            unit="°",
            assumed="facing",
            southern=f"{NORTH_DEG:g}",
        ),
        Entry(
            "shading",
            "choice",
            required=False,
            options=("", "none", "morning", "midday", "evening", "some", "heavy"),
            hint=True,
        ),
    ),
    compose=_compose,
    answer=_answer,
    reviewed=frozenset({"peak_kw"}),
    sensors={
        "total_pv_production": SensorHints(
            r"pv|solar|photovolt|roof|dach|yield|ertrag",
            rf"{BATTERY_WORDS}|export|forecast|prognose|tomorrow|remaining",
            statistic=("solar", "stat_energy_from"),
        )
    },
    first=True,
)
