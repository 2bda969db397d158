"""PV of one roof from Solcast, for its customers: half-hours with p10 and p90.

A free account has ten calls a day.

Source: docs.solcast.com.au, "Rooftop sites", forecasts. Powers are means, in kW, of the period that
ends at ``period_end``.
"""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from pydantic import AwareDatetime, BaseModel

from luna.energy.site import Site
from luna.energy.timeline import SLOT_HOURS, Timeline
from services.ingest.sources.open_meteo import hold_means
from services.ingest.sources.pv.estimate import PvEstimate, ask_once, order_periods
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.sources.web import Web

# Two days of plans, and what of an hour the first of them may begin in.
HOURS = 49
URL = "https://api.solcast.com.au/rooftop_sites/{roof}/forecasts"


class _Period(BaseModel):
    pv_estimate: float
    pv_estimate10: float
    pv_estimate90: float
    period_end: AwareDatetime
    period: timedelta


class _Forecasts(BaseModel):
    forecasts: list[_Period]


@dataclass(frozen=True)
class Solcast:
    """PV of one roof from Solcast.

    Args:
        web: HTTP client.
        token: ``resource_id:api_key`` of a customer's roof.
    """

    name = "solcast"
    web: Web
    token: str = field(repr=False)

    def fetch(self, site: Site, timeline: Timeline) -> PvEstimate:
        roof, separator, api_key = self.token.strip().partition(":")
        if not (roof and separator and api_key):
            raise SourceRefusedError(
                "needs resource_id:api_key",
                field=self.name,
                remedy="Check the token in the settings.",
            )
        answer = ask_once(
            self.web,
            URL.format(roof=roof),
            {"format": "json", "hours": HOURS},
            headers={"authorization": f"Bearer {api_key}"},
        )
        periods = answer.parse(_Forecasts).forecasts
        lengths = {period.period for period in periods}
        if len(lengths) > 1:
            raise SourceError(
                "answers periods of several lengths", field=self.name, remedy="Try again later."
            )
        length = lengths.pop() if lengths else timedelta(0)
        ends = [period.period_end for period in periods]
        rows = [
            (period.pv_estimate10, period.pv_estimate, period.pv_estimate90) for period in periods
        ]
        instants, powers_kw = order_periods(self.name, ends, length, rows)
        step = np.timedelta64(length)
        p10_kwh, p50_kwh, p90_kwh = (
            hold_means(instants, power_kw * SLOT_HOURS, step, timeline) for power_kw in powers_kw
        )
        return PvEstimate(p50_kwh, p10_kwh, p90_kwh)
