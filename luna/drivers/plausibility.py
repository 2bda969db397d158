"""Check what a device reports before it counts.

Checked are no-value codes, ratings, signs and the balance of powers.

A value that fails is unknown, with a reason; it is never clipped to what would be possible.
"""

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_points import unit_factor
from luna.drivers.readings import (
    READING_UNITS,
    SIGNED_READINGS,
    STATE_READINGS,
    LimitName,
    ReadingName,
    split_sign,
)
from luna.energy.devices.grid import NO_LIMIT_KW
from luna.energy.site import Site
from luna.energy.site.main_fuses import fuse_kw

# invalid_value: the device reports that it has none; beyond_rating: more than the device or its
# connection carries; wrong_sign: below zero where only one direction is measured;
# contradicts: the powers of one reading exclude each other.
ImplausibleCause = Literal["invalid_value", "beyond_rating", "wrong_sign", "contradicts"]

# Most that a home's device reports where nothing else is known: W, kWh of a counter, %.
# 100 kW is what three phases of 145 A carry; a counter at 2 GWh would be older than its maker.
MOST_W = 100_000.0
MOST_KWH = 2_000_000.0
MOST_PERCENT = 100.0
MOST_A = 100.0
MOST_PHASES = 3.0
MOST_CAPACITY_KWH = 2_000.0
# A device may exceed the limit that it reports for a moment.
WATTS = 1000.0
LIMIT_SHARE = 1.25
# A battery's limit at a site may be less than its inverter does when left to itself.
BATTERY_SHARE = 2.0
# A fuse carries twice its current for minutes.
FUSE_SHARE = 2.0
LIMIT_MARGIN_W = 500.0
# Below this a limit is no rating: the device reports what it would take now, full or cold.
LEAST_LIMIT_W = 200.0
# An inverter's own consumption at night, and a sensor's error.
NOISE_W = 50.0
NOISE_SHARE = 0.01
ROUNDING = 1e-6
# Losses of conversion, consumption of the inverter, registers read one after the other.
BALANCE_W = 250.0
BALANCE_SHARE = 0.2
# Below this both directions at once are noise.
BOTH_WAYS_W = 100.0
BOTH_WAYS_SHARE = 0.1

SOURCES: tuple[ReadingName, ...] = ("pv_w", "discharge_w", "import_w")
SINKS: tuple[ReadingName, ...] = ("load_w", "charge_w", "export_w")
BALANCE: tuple[ReadingName, ...] = (*SOURCES, *SINKS)
_BATTERY: tuple[ReadingName, ReadingName] = ("charge_w", "discharge_w")
_GRID: tuple[ReadingName, ReadingName] = ("export_w", "import_w")
_HOUSE: tuple[ReadingName, ...] = ("load_w", "export_w", "import_w")


class ImplausibleReading(NamedTuple):
    """A reading that does not count, with its reported number (NaN: none)."""

    name: ReadingName
    cause: ImplausibleCause
    value: float


class DeviceReadings(NamedTuple):
    """Readings by name in the units of ``READING_UNITS``; NaN where unknown, with the reasons."""

    values: dict[str, float]
    implausible: tuple[ImplausibleReading, ...] = ()


def rate_readings(site: Site, *, battery: str | None = None) -> dict[ReadingName, float]:
    """Return the highest values of readings that a site allows for, tolerance included, W.

    Args:
        site: with its roof, batteries and connection.
        battery: the one behind the device, None: any of them.

    An import limit is what the owner wants, and no rating: only the main fuse is one.
    """
    grid_kw = _rate_connection(site)
    batteries = site.batteries
    if battery is not None:
        batteries = [behind for behind in site.batteries if behind.name == battery]
    charge_kw = BATTERY_SHARE * sum(behind.charge_limit_kw for behind in batteries)
    discharge_kw = BATTERY_SHARE * sum(behind.discharge_limit_kw for behind in batteries)
    pv_kw = LIMIT_SHARE * site.peak_kw
    rated: dict[ReadingName, float] = {
        "import_w": grid_kw,
        "export_w": grid_kw,
        "pv_w": pv_kw,
        "charge_w": charge_kw,
        "discharge_w": discharge_kw,
        "load_w": grid_kw + pv_kw + discharge_kw if grid_kw else 0.0,
    }
    return {name: WATTS * kw + LIMIT_MARGIN_W for name, kw in rated.items() if kw > 0}


def _rate_connection(site: Site) -> float:
    """Return the grid connection's highest power for a moment, kW; 0 if it is unknown."""
    grid = site.grid
    limit_kw = 0.0 if grid.import_limit_kw == NO_LIMIT_KW else grid.import_limit_kw
    if grid.main_fuse_a is not None:
        for_minutes_kw = FUSE_SHARE * fuse_kw(grid.main_fuse_a, grid.main_fuse_phases or 3)
        return max(for_minutes_kw, limit_kw)
    return limit_kw if limit_kw * WATTS > MOST_W else 0.0


def find_rating(
    limits: Mapping[LimitName, float], ratings: Mapping[ReadingName, float], name: ReadingName
) -> float | None:
    """Return a reading's highest value by the device's limits and the site's ratings.

    None where neither is known. Of both the larger counts: a device lowers its limits while its
    battery is full or cold, and a site may state less than the device does by itself.
    """
    bounds = [ratings[name]] if name in ratings else []
    limit = limits.get(name) if name in ("charge_w", "discharge_w") else None
    if limit is not None and limit >= LEAST_LIMIT_W:
        bounds.append(LIMIT_SHARE * limit + LIMIT_MARGIN_W)
    return max(bounds, default=None)


def find_opposite(profile: DeviceProfile, name: ReadingName) -> ReadingName | None:
    """Return the reading of the same points with the other sign, if there is one."""
    turned = {(-sign, point) for sign, point in map(split_sign, profile.reads[name])}
    for candidate, signed_points in profile.reads.items():
        if turned == set(map(split_sign, signed_points)):
            return candidate
    return None


def check_readings(
    profile: DeviceProfile,
    names: tuple[ReadingName, ...],
    points: Mapping[str, float],
    *,
    limits: Mapping[LimitName, float],
    ratings: Mapping[ReadingName, float],
) -> DeviceReadings:
    """Return readings from the values of their points; what is implausible is unknown.

    Args:
        profile: of the device.
        names: of the readings.
        points: values in their units, NaN where the device has none.
        limits: what the device reports as its own, see ``ProfiledDevice.read_limits``.
        ratings: the most of some readings that the site allows for, tolerance included.

    Invariants:
        a value is NaN, or within its rating and, but for ``SIGNED_READINGS``, not negative; each
        NaN has a reason.
    """
    values: dict[str, float] = {}
    implausible: list[ImplausibleReading] = []
    for name in names:
        terms = []
        for sign, point in map(split_sign, profile.reads[name]):
            factor = unit_factor(profile.points[point], name)
            terms.append(sign * points[point] * factor)
        if name in STATE_READINGS:
            terms = [STATE_READINGS[name].get(sum(terms), math.nan)]
        opposite = find_opposite(profile, name)
        rating = find_rating(limits, ratings, name)
        if opposite is not None:
            # The same points carry both directions, with one rating for either.
            ratings_of_both = (rating, find_rating(limits, ratings, opposite))
            known_ratings = [value for value in ratings_of_both if value is not None]
            rating = max(known_ratings, default=None)
        is_signed = name in SIGNED_READINGS
        slack = _find_slack(profile, name, terms)
        is_one_way = opposite is None and not is_signed
        cause = _find_fault(name, terms, rating, is_one_way=is_one_way, slack=slack)
        total = sum(terms)
        if cause is not None:
            values[name] = math.nan
            implausible.append(ImplausibleReading(name, cause, total))
            continue
        values[name] = total if is_signed else max(total, 0.0)
    for name in _list_contradictions(values):
        implausible.append(ImplausibleReading(name, "contradicts", values[name]))
        values[name] = math.nan
    return DeviceReadings(values, tuple(implausible))


def default_most(name: ReadingName) -> float:
    """Return the most that a reading can be in a home."""
    if name.endswith("soc"):
        return MOST_PERCENT
    if name.endswith("_a"):
        return MOST_A
    if not READING_UNITS[name]:
        return MOST_PHASES
    return MOST_KWH if name.endswith("_kwh") else MOST_W


def _find_slack(profile: DeviceProfile, name: ReadingName, terms: list[float]) -> float | None:
    """Return the tolerance below 0 of a reading that is a difference of powers, W.

    None where it is no difference: where no point of it flows both ways.
    """
    points = {point for _, point in map(split_sign, profile.reads[name])}
    for candidate, signed_points in profile.reads.items():
        shared = points & {point for _, point in map(split_sign, signed_points)}
        if not shared or len(signed_points) >= len(points):
            continue
        if find_opposite(profile, candidate) is not None:
            return max(BALANCE_W, BALANCE_SHARE * max(map(abs, terms)))
    return None


def _find_fault(
    name: ReadingName,
    terms: list[float],
    rating: float | None,
    *,
    is_one_way: bool,
    slack: float | None,
) -> ImplausibleCause | None:
    """Return the fault of a reading's terms, None if they are plausible.

    ``slack`` is given of a difference of powers, whose terms flow either way.
    """
    if not all(map(math.isfinite, terms)):
        return "invalid_value"
    total = sum(terms)
    lowest = min(*terms, total, 0.0)
    if name.endswith("soc") and lowest < -ROUNDING:
        return "beyond_rating"
    highest = default_most(name) if rating is None else rating
    # Each term by itself as well: two absurd ones of opposite signs sum up to a likely one.
    if any(abs(term) > highest + ROUNDING for term in (*terms, total)):
        return "beyond_rating"
    if not is_one_way:
        return None
    if slack is not None:
        return "wrong_sign" if total < -slack else None
    noise = ROUNDING
    if name.endswith("_w"):
        noise = max(NOISE_W, NOISE_SHARE * (rating or 0.0))
    return "wrong_sign" if lowest < -noise else None


def _list_contradictions(values: Mapping[str, float]) -> tuple[ReadingName, ...]:
    """Return the readings that the others of the same instant exclude."""
    charge_w = values.get("charge_w", math.nan)
    discharge_w = values.get("discharge_w", math.nan)
    if not math.isnan(charge_w + discharge_w):
        most_w = max(charge_w, discharge_w)
        if min(charge_w, discharge_w) > max(BOTH_WAYS_W, BOTH_WAYS_SHARE * most_w):
            return _BATTERY
    if not set(BALANCE) <= values.keys() or any(math.isnan(values[name]) for name in BALANCE):
        return ()
    if _is_balanced(values):
        return ()
    turned_names: list[ReadingName] = []
    for forth, back in (_BATTERY, _GRID):
        turned = {**values, forth: values[back], back: values[forth]}
        if _is_balanced(turned):
            turned_names += [forth, back]
    if turned_names:
        return tuple(turned_names)
    # Without a meter of the house a device reports it as 0.
    has_house_meter = any(values[name] for name in _HOUSE)
    return BALANCE if has_house_meter else _HOUSE


def _is_balanced(values: Mapping[str, float]) -> bool:
    """Return whether PV + discharge + import = load + charge + export, within tolerance."""
    given_w = sum(values[name] for name in SOURCES)
    taken_w = sum(values[name] for name in SINKS)
    return abs(given_w - taken_w) <= max(BALANCE_W, BALANCE_SHARE * max(given_w, taken_w))
