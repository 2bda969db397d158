"""The two series that are forecast, and how each is looked at."""

from collections.abc import Callable
from dataclasses import dataclass

from luna.timeline import FloatArray
from services.forecaster.frame import Frame, Pairs
from services.forecaster.load_view import view_load
from services.forecaster.pv_view import view_pv
from services.forecaster.view import View


@dataclass(frozen=True, slots=True)
class Series:
    """A series by name, with what was measured of it, kWh, shape ``(slots,)``, and what it looks like from an origin.

    ``narrowing`` is how far a band follows recent errors that were smaller than promised, as a power of the factor: habits last, weather turns.
    """

    name: str
    measured: Callable[[Frame], FloatArray]
    view: Callable[[Frame, Pairs], View]
    narrowing: float


LOAD = Series("load", lambda frame: frame.load_kwh, view_load, narrowing=1.0)
PV = Series("pv", lambda frame: frame.pv_kwh, view_pv, narrowing=0.7)
EVERY_SERIES = (LOAD, PV)
