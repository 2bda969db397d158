"""What lies ahead as a request says it, beside what the site's equipment, homes and markets can be: the plan is made all the same, and says so. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from luna.contracts.plan import Assumption, OutlookMessage
from luna.energy.devices import GridConnection
from luna.energy.plausibility import FAR_BEYOND, USUAL_POWER_KW, doubt_prices, price_bounds
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline

_UNLIMITED_KW = GridConnection.model_fields["import_limit_kw"].default


class _Bound(NamedTuple):
    """A power to compare with, ``limit_kw``, beyond what it is doubted, and as what."""

    code: str
    limit_kw: float
    most_kw: float


def doubt_outlook(site: Site, outlook: OutlookMessage, timeline: Timeline) -> Iterator[Assumption]:
    """Yield what of an outlook is far beyond what it can be, each with its furthest slot and the number that it is compared with."""
    peak_kw = site.peak_kw
    sources_kw = site.grid.import_limit_kw + peak_kw + sum(battery.discharge_limit_kw for battery in site.batteries)
    load = _Bound("load_beyond_site", sources_kw, FAR_BEYOND * sources_kw)
    if site.grid.import_limit_kw >= _UNLIMITED_KW:
        load = _Bound("load_beyond_homes", USUAL_POWER_KW, USUAL_POWER_KW)
    yield from _doubt_power(np.array(outlook.load_kwh), timeline, load)
    if peak_kw:
        yield from _doubt_power(np.array(outlook.pv_kwh), timeline, _Bound("pv_beyond_arrays", peak_kw, FAR_BEYOND * peak_kw))
    if bounds := price_bounds(site.currency):
        yield from _doubt_price("import_price", np.array(outlook.import_price), timeline, bounds=bounds)
        yield from _doubt_price("export_price", np.array(outlook.export_price), timeline, bounds=bounds)


def doubt_by_last_week(outlook: OutlookMessage, before: FloatArray, currency: str) -> Iterator[Assumption]:
    """Yield that a stored site's prices ahead are far from those ``before`` them, currency/kWh, NaN where unknown."""
    doubt = doubt_prices(np.array(outlook.import_price), before, currency)
    if doubt is not None and doubt.basis == "stored":
        figures = {"price": round(doubt.value, 6), "known_price": round(doubt.known, 6), "times": round(doubt.times, 1)}
        yield Assumption(code="prices_beyond_last_week", figures=figures)


def _doubt_power(kwh: FloatArray, timeline: Timeline, bound: _Bound) -> Iterator[Assumption]:
    furthest = int(kwh.argmax())
    kw = float(kwh[furthest]) / (timeline.step / timedelta(hours=1))
    if kw > bound.most_kw:
        at = (timeline.start + furthest * timeline.step).isoformat()
        yield Assumption(code=bound.code, figures={"kw": round(kw, 3), "at": at, "limit_kw": bound.limit_kw, "times": round(kw / bound.limit_kw, 1)})


def _doubt_price(series: str, price: FloatArray, timeline: Timeline, *, bounds: tuple[float, float]) -> Iterator[Assumption]:
    beyond = np.maximum(price / bounds[0], price / bounds[1])
    furthest = int(beyond.argmax())
    if beyond[furthest] > 1.0:
        known = bounds[0] if price[furthest] < 0.0 else bounds[1]
        at = (timeline.start + furthest * timeline.step).isoformat()
        yield Assumption(code="price_beyond_markets", figures={"series": [series], "price": float(price[furthest]), "at": at, "known_price": known})
