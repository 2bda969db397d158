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
    yield from _doubt_power(outlook.load_kwh, timeline, load)
    if peak_kw:
        yield from _doubt_power(outlook.pv_kwh, timeline, _Bound("pv_beyond_arrays", peak_kw, FAR_BEYOND * peak_kw))
    if bounds := price_bounds(site.currency):
        yield from _doubt_price("import_price", outlook.import_price, timeline, bounds=bounds)
        yield from _doubt_price("export_price", outlook.export_price, timeline, bounds=bounds)


def doubt_by_last_week(outlook: OutlookMessage, before: FloatArray, currency: str) -> Iterator[Assumption]:
    """Yield that a stored site's prices ahead are far from those ``before`` them, currency/kWh, NaN where unknown."""
    doubt = doubt_prices(np.array(outlook.import_price), before, currency)
    if doubt is not None and doubt.basis == "stored":
        figures = {"price": round(doubt.value, 6), "known_price": round(doubt.known, 6), "times": round(doubt.times, 1)}
        yield Assumption(code="prices_beyond_last_week", figures=figures)


def _doubt_power(kwh: list[float], timeline: Timeline, bound: _Bound) -> Iterator[Assumption]:
    most_kwh = max(kwh)
    kw = most_kwh / (timeline.step / timedelta(hours=1))
    if kw > bound.most_kw:
        at = (timeline.start + kwh.index(most_kwh) * timeline.step).isoformat()
        yield Assumption(code=bound.code, figures={"kw": round(kw, 3), "at": at, "limit_kw": bound.limit_kw, "times": round(kw / bound.limit_kw, 1)})


def _doubt_price(series: str, price: list[float], timeline: Timeline, *, bounds: tuple[float, float]) -> Iterator[Assumption]:
    least, most = bounds
    furthest = max(min(price), max(price), key=lambda each: max(each / least, each / most))
    if furthest < least or furthest > most:
        at = (timeline.start + price.index(furthest) * timeline.step).isoformat()
        known = least if furthest < 0.0 else most
        yield Assumption(code="price_beyond_markets", figures={"series": [series], "price": furthest, "at": at, "known_price": known})
