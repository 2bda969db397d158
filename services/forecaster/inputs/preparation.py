"""What was measured, made fit to learn and to forecast from: without standstills, and with what a smaller roof yielded scaled to the present one."""

from dataclasses import dataclass
from datetime import datetime

from luna.observations import Observations
from luna.site import Site
from services.forecaster.inputs.frozen import drop_frozen
from services.forecaster.inputs.roof import Growth, find_growth


@dataclass(frozen=True, slots=True)
class Prepared:
    """A history to learn or forecast from, of a site whose arrays can yield what they were seen to; ``growth`` is what was scaled, if anything."""

    history: Observations
    site: Site
    growth: Growth | None


def prepare_history(measured: Observations, site: Site, *, before: datetime) -> Prepared:
    """Return a gapless history prepared as known ``before`` an instant.

    Invariants: nothing measured at or after ``before`` changes what is returned of the time before.
    """
    growth = find_growth(measured, site, before=before)
    if growth is None:
        return Prepared(drop_frozen(measured), site, None)
    return Prepared(drop_frozen(growth.scale(measured)), growth.enlarge(site), growth)
