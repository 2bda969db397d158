"""Samples by hand, and sites with sensors."""

from datetime import UTC, datetime

import numpy as np

from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, InstantArray, Timeline
from services.ingest.metering import SlotBuild, build_slots
from services.ingest.source_readings import Samples

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def minutes(*after_noon: float) -> InstantArray:
    return np.datetime64(NOON.replace(tzinfo=None), "us") + (np.array(after_noon) * 60e6).astype(
        "timedelta64[us]"
    )


def every(step_minutes: float, count: int) -> InstantArray:
    return minutes(*(np.arange(count) * step_minutes))


def describe_metered(**sensors: object) -> Site:
    """A site with a roof and a battery, and the sensors named."""
    battery = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    grid = {"import_limit_kw": 10, "export_limit_kw": 8}
    site = {
        "name": "metered",
        "timezone": "Europe/Berlin",
        "grid": grid,
        "batteries": [battery],
        "pv": [{"peak_kw": 6}],
    }
    return parse_site(site | {"input_sensors": sensors})


def one_sensor(
    role: str, unit: str | None, instants: InstantArray, values: object, *, slots: int
) -> SlotBuild:
    """Build slots from noon on for a site with one sensor."""
    samples = {"sensor": Samples("sensor", unit, instants, np.asarray(values, dtype=np.float64))}
    return build_slots(describe_metered(**{role: "sensor"}), samples, Timeline(NOON, SLOT, slots))
