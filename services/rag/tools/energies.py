"""What a site used, made, bought and sold over a period, and what that cost: the site's account, as
tools tell it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from luna.energy.account import CONSUMERS, AccountSlots, EnergyAccount, settle_account
from luna.energy.timeline import FloatArray, Timeline
from luna.platform.account import has_begun, read_account_slots
from services.rag.tools.declaration import ToolContext
from services.rag.tools.reading import share_finite

SERIES = (*CONSUMERS, "pv", "import", "export", "charge", "discharge")
# Devices with a meter of their own, which most sites lack: only told of where they are recorded.
METERED = CONSUMERS[1:]


def _require_known(name: str) -> str:
    if name not in SERIES:
        raise ValueError(f"no such series; known are {', '.join(SERIES)}")
    return name


SeriesName = Annotated[
    str, AfterValidator(_require_known), Field(json_schema_extra={"enum": list(SERIES)})
]


@dataclass(frozen=True, slots=True)
class Energies:
    """The account of a period with its quarter-hours."""

    slots: AccountSlots
    account: EnergyAccount

    @property
    def timeline(self) -> Timeline:
        """The quarter-hours that are counted."""
        return self.slots.timeline

    def values(self, name: SeriesName) -> FloatArray:
        """Return a flow per quarter-hour, NaN where unknown."""
        return self.slots.energy_kwh[name]

    def coverage(self, name: SeriesName) -> float:
        """Return the share of a flow's slots that are known."""
        return share_finite(self.values(name))

    def total(self, name: SeriesName) -> float:
        """Return the sum of a flow's known slots."""
        return self.account.energy(name)

    def estimated(self, name: SeriesName) -> float:
        """Return the share of a flow's slots that are filled to a meter's total."""
        return float(self.slots.estimated[name].mean())

    def available(self, names: Sequence[SeriesName]) -> list[SeriesName]:
        """Return those of the flows that are recorded.

        Of the consumption also the metered devices that are part of it.
        """
        wanted = list(names)
        if "load" in wanted:
            place = wanted.index("load") + 1
            wanted[place:place] = [name for name in METERED if name not in wanted]
        return [name for name in wanted if self.coverage(name) > 0]

    @property
    def has_metered_devices(self) -> bool:
        """Whether a device counts beside the house."""
        return any(self.coverage(name) > 0 for name in METERED)


def read(context: ToolContext, timeline: Timeline) -> Energies:
    """Return the account of a period, up to now where the time is not over."""
    # Where nothing of it has passed, nothing is known of it.
    now = context.now if has_begun(timeline, context.now) else timeline.end
    slots = read_account_slots(context.connection, context.site, timeline, now=now)
    return Energies(slots, settle_account(slots))
