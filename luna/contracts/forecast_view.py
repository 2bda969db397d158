"""An explained forecast as it is drawn."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from luna.contracts.forecast_explanation import ExplainReply, SeriesExplanation
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray
from luna.words import Numbers
from luna.words.charts.forecast import ForecastView, SeriesView

_PER_HOUR = timedelta(hours=1) / SLOT


def view_explained(
    site: Site, reply: ExplainReply, forecast: Forecast, happened: Observations, *, numbers: Numbers
) -> ForecastView:
    """Return an explained forecast ready to be drawn."""
    pv = _view_series(forecast.pv_kwh, happened.pv_kwh, [slot.pv for slot in reply.slots])
    shines = bool(site.pv) and pv.highest > 0
    return ForecastView(
        site=site.name,
        version=reply.forecast_version,
        issued_at=reply.issued_at,
        start=forecast.timeline.start,
        step=SLOT,
        load=_view_series(
            forecast.load_kwh, happened.load_kwh, [slot.load for slot in reply.slots]
        ),
        pv=pv if shines else None,
        # Where not even the brightest scenario has any, the sun does not reach.
        night=forecast.pv_kwh.p95 <= 0 if shines else np.zeros(forecast.timeline.count, dtype=bool),
        numbers=numbers,
        stage=reply.stage,
        conditions=reply.conditions,
    )


def _view_series(
    forecast: Quantiles, happened_kwh: FloatArray, slots: Sequence[SeriesExplanation]
) -> SeriesView:
    usual = np.array([slot.usual_kw for slot in slots])
    return SeriesView(
        forecast.map(lambda part: part * _PER_HOUR),
        usual,
        happened_kwh * _PER_HOUR,
        [slot.text for slot in slots],
    )
