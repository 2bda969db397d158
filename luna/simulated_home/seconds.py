"""Refine a recorded quarter-hour by the second: a kettle, an oven, and clouds.

The quarter-hour's energy stays what was recorded, and the same seed gives the same second.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from luna.energy.timeline import SLOT, FloatArray
from luna.simulated_home.site import ROOF_PEAK_KW

QUARTER_SECONDS = int(SLOT.total_seconds())
# From a quarter-hour since 1970, its mean power and a seed to the power of each second, kW.
Refine = Callable[[int, float, int], FloatArray]

# Compressors and lamps make the load vary from minute to minute.
_LOAD_SPREAD = 0.35
_MINUTES = 15
# Powers by rating plates. What is left for the rest of the house is at least this share.
_KETTLE_KW = 2.0
_KETTLE_SECONDS = 150
_KETTLE_CHANCE = 0.5
_OVEN_KW = 2.4
_OVEN_ON_SECONDS = 60
_OVEN_OFF_SECONDS = 70
_REST_SHARE = 0.25
# Clouds come within seconds, and in every second hour.
_CLOUDY_CHANCE = 0.5
_MOST_CLOUDS = 3
_CLOUD_SECONDS = (60, 200)
_EDGE_SECONDS = (3, 15)
_CLOUD_DEPTH = (0.4, 0.75)
_LOAD_SERIES = 1
_PV_SERIES = 2
_SKY_SERIES = 3


def load_between(at: float, seconds: float, mean_kw: float, *, seed: int) -> float:
    """Return the house's mean power in a step of a quarter-hour, kW.

    Args:
        at: begin of the step, seconds since 1970.
        seconds: its length; what lies beyond the quarter-hour does not count.
        mean_kw: of the quarter-hour.
        seed: of appliances.
    """
    return _mean_between(refine_load, at, seconds, mean_kw, seed=seed)


def pv_between(at: float, seconds: float, mean_kw: float, *, seed: int) -> float:
    """Return the roof's mean power in a step of a quarter-hour, kW; see ``load_between``."""
    return _mean_between(refine_pv, at, seconds, mean_kw, seed=seed)


def refine_load(quarter: int, mean_kw: float, seed: int) -> FloatArray:
    """Return the house's power in each second of a quarter-hour, kW.

    Invariants: its mean is ``mean_kw``; nothing is negative.
    """
    rng = np.random.default_rng((seed, _LOAD_SERIES, quarter))
    minutes = 1.0 + _LOAD_SPREAD * rng.uniform(-1.0, 1.0, _MINUTES)
    house = np.repeat(minutes / minutes.mean(), QUARTER_SECONDS // _MINUTES)
    start = int(rng.integers(0, QUARTER_SECONDS - _KETTLE_SECONDS))
    boils = bool(rng.uniform() < _KETTLE_CHANCE)
    appliance_kw = np.zeros(QUARTER_SECONDS)
    if boils:
        appliance_kw[start : start + _KETTLE_SECONDS] = _KETTLE_KW
    most_kw = (1.0 - _REST_SHARE) * mean_kw
    oven_kw = _draw_oven(start)
    if oven_kw.mean() <= most_kw:
        appliance_kw = oven_kw
    elif appliance_kw.mean() > most_kw:
        appliance_kw = np.zeros(QUARTER_SECONDS)
    return np.asarray(house * (mean_kw - appliance_kw.mean()) + appliance_kw)


def _draw_oven(start: int) -> FloatArray:
    """Return an oven by its thermostat, on and off, from a second on."""
    passed = np.arange(QUARTER_SECONDS) - start
    is_on = passed % (_OVEN_ON_SECONDS + _OVEN_OFF_SECONDS) < _OVEN_ON_SECONDS
    return np.where((passed >= 0) & is_on, _OVEN_KW, 0.0)


def refine_pv(quarter: int, mean_kw: float, seed: int) -> FloatArray:
    """Return the roof's power in each second of a quarter-hour, kW.

    Invariants: its mean is ``mean_kw``; nothing is negative, nor above the roof's peak.
    """
    sky = np.random.default_rng((seed, _SKY_SERIES, quarter // 4))
    is_cloudy = bool(sky.uniform() < _CLOUDY_CHANCE)
    if mean_kw <= 0.0 or not is_cloudy:
        return np.full(QUARTER_SECONDS, mean_kw)
    rng = np.random.default_rng((seed, _PV_SERIES, quarter))
    shade = np.zeros(QUARTER_SECONDS)
    for _ in range(int(rng.integers(1, _MOST_CLOUDS + 1))):
        shade = np.maximum(shade, _draw_cloud(rng))
    depth = float(rng.uniform(*_CLOUD_DEPTH))
    # Between clouds: mean / (1 - depth * mean shade) <= peak
    room = max(1.0 - mean_kw / ROOF_PEAK_KW, 0.0)
    depth = min(depth, room / float(shade.mean()))
    sun = 1.0 - depth * shade
    return np.asarray(mean_kw * sun / sun.mean())


def _draw_cloud(rng: np.random.Generator) -> FloatArray:
    """Return the shade of one cloud, 0 to 1, with edges of some seconds."""
    length = int(rng.integers(*_CLOUD_SECONDS))
    edge = float(rng.integers(*_EDGE_SECONDS))
    start = int(rng.integers(0, QUARTER_SECONDS - length))
    seconds = np.arange(QUARTER_SECONDS)
    depth_in = (seconds - start) / edge
    depth_out = (start + length - seconds) / edge
    return np.clip(np.minimum(depth_in, depth_out), 0.0, 1.0)


def _mean_between(refine: Refine, at: float, seconds: float, mean_kw: float, *, seed: int) -> float:
    quarter = int(at // QUARTER_SECONDS)
    begin = at - quarter * QUARTER_SECONDS
    end = min(begin + seconds, float(QUARTER_SECONDS))
    if end <= begin:
        return mean_kw
    sums = _sum_up(refine, quarter, mean_kw, seed)
    return (_sum_until(sums, end) - _sum_until(sums, begin)) / (end - begin)


# Cached: a home asks for the same quarter-hour every second.
@lru_cache(maxsize=8)
def _sum_up(refine: Refine, quarter: int, mean_kw: float, seed: int) -> tuple[float, ...]:
    """Return the energy from the quarter-hour's begin until each of its seconds, kW times s."""
    return (0.0, *np.cumsum(refine(quarter, mean_kw, seed)).tolist())


def _sum_until(sums: tuple[float, ...], second: float) -> float:
    whole = int(second)
    if whole >= QUARTER_SECONDS:
        return sums[-1]
    return sums[whole] + (second - whole) * (sums[whole + 1] - sums[whole])
