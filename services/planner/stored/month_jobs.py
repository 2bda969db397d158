"""What a stored site's month has drawn so far, from what was measured: peaks for a capacity tariff, energy for one in blocks."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.plan import PeakState, StateMessage
from luna.database import observations
from luna.economics import read_history
from luna.site import BlockPrice, Site
from luna.timeline import SLOT, Timeline, local_midnight


def complete_month(connection: Connection, site_id: str, site: Site, state: StateMessage, *, start: datetime) -> StateMessage:
    """Return the state with what the month has come to up to ``start``, where the tariff asks for it and the request says nothing of it."""
    zone = ZoneInfo(site.timezone)
    begin = local_midnight(start.astimezone(zone).date().replace(day=1), zone)
    counts = site.tariff.peaks or isinstance(site.tariff.import_, BlockPrice)
    if not counts or state.peaks or state.month_peaks_kw or state.month_import_kwh or start - begin < SLOT:
        return state
    past = Timeline(begin, SLOT, (start - begin) // SLOT)
    imported = observations.read(connection, site_id, past).import_kwh
    found = {price.name: read_history(imported, past, price, zone=zone) for price in site.tariff.peaks}
    peaks = {name: PeakState(highest_kw=list(each.highest_kw), today_kw=each.today_kw, interval_kwh=each.interval_kwh) for name, each in found.items()}
    return state.model_copy(update={"peaks": peaks, "month_import_kwh": float(np.nansum(imported))})
