"""The account of a site over a period, as tools tell it: energies and their cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from luna.energy.account import CONSUMERS, AccountSlots, EnergyAccount, settle_account
from luna.energy.timeline import FloatArray, Timeline
from luna.house.account import has_begun, read_account_slots
from services.rag.tools.declaration import ToolContext
from services.rag.tools.reading import share_finite

SERIES = (*CONSUMERS, "pv", "import", "export", "charge", "discharge")
# Devices with a meter of their own: most sites lack them, so only recorded ones are told.
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
        """Return the recorded flows among ``names``; ``load`` brings the metered devices along."""
        requested = list(names)
        if "load" in requested:
            place = requested.index("load") + 1
            requested[place:place] = [name for name in METERED if name not in requested]
        return [name for name in requested if self.coverage(name) > 0]

    @property
    def has_metered_devices(self) -> bool:
        return any(self.coverage(name) > 0 for name in METERED)


def read(context: ToolContext, timeline: Timeline) -> Energies:
    """Return the account of a period, up to now if the period is not over."""
    # A period that lies ahead has no slot to count; its end then bounds it.
    now = context.now if has_begun(timeline, context.now) else timeline.end
    slots = read_account_slots(context.connection, context.site, timeline, now=now)
    return Energies(slots, settle_account(slots))
