"""Tariffs of a request that count by the month: capacity components and blocks, with what the month has seen so far."""

from luna.contracts.plan import PeakState, StateMessage
from luna.economics import Blocks, Peak, PeakHistory
from luna.errors import InvalidInputError
from luna.site import BlockPrice, Site


def read_peaks(site: Site, state: StateMessage) -> tuple[Peak, ...]:
    """Return the components of a site's capacity tariff; a single list of peaks is that of the first component without a state of its own.

    Raises:
        InvalidInputError: state of a component the tariff does not have.
    """
    names = [price.name for price in site.tariff.peaks]
    for name in state.peaks:
        if name not in names:
            remedy = f"Its components are: {', '.join(names) or 'none'}."
            raise InvalidInputError("the tariff has no such component", field=f"state.peaks.{name}", remedy=remedy)
    unnamed = next((name for name in names if name not in state.peaks), None)
    known = ({unnamed: PeakState(highest_kw=state.month_peaks_kw)} if unnamed else {}) | state.peaks
    return tuple(Peak(price, _read(known.get(price.name, PeakState()))) for price in site.tariff.peaks)


def _read(state: PeakState) -> PeakHistory:
    return PeakHistory(tuple(state.highest_kw), state.today_kw, state.interval_kwh)


def read_price_blocks(site: Site, state: StateMessage) -> Blocks | None:
    """Return the blocks of a site's tariff with what the month has drawn so far; None where it has none."""
    rule = site.tariff.import_
    return Blocks.of(rule, state.month_import_kwh) if isinstance(rule, BlockPrice) else None
