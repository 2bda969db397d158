"""Hands what flows in the sites on to whoever looks at them, and knows who looks."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog

from luna.energy.errors import UnavailableError
from luna.energy.site import Site
from luna.platform.clock import Clock
from luna.platform.queue.live_flows import LiveFlows
from services.ingest.listening.live_powers import LivePowers, list_sensors

# A device says its values one after the other within some ten milliseconds: a flow of the half of
# them would not add up.
SETTLES = timedelta(milliseconds=150)
MOST_WAITS = 5

log = structlog.get_logger("luna.ingest.live")


class LiveSharing:
    """Stores the live powers of the sites turn by turn.

    Args:
        powers: is told every reading.
        flows: where the gateway finds them.
        clock: gives each turn its instant.
        settles: values of one moment come within this, one after the other; a turn waits for the
            last of them.
    """

    def __init__(
        self, powers: LivePowers, flows: LiveFlows, *, clock: Clock, settles: timedelta = SETTLES
    ) -> None:
        self.powers = powers
        self._flows = flows
        self._clock = clock
        self._settles = settles
        self._looked_at: frozenset[str] = frozenset()
        self._is_away = False

    async def turn(self, sites: Sequence[Site]) -> None:
        """Store what flows in these sites now, and learn which of them somebody looks at.

        Nobody does while Redis is away.
        """
        await self._settle()
        now = self._clock.now()
        flows = {site.name: self.powers.read_flow(site, now=now) for site in sites}
        try:
            looked_at = await asyncio.to_thread(self._flows.share, flows)
        except UnavailableError as error:
            if not self._is_away:
                log.warning("live values cannot be shown", error=str(error))
            self._is_away = True
            self._looked_at = frozenset()
            return
        self._is_away = False
        self._looked_at = list_sensors(sites, looked_at)

    async def _settle(self) -> None:
        """Wait until no value has come for a moment; where they come all the time, not for long."""
        for _ in range(MOST_WAITS):
            count = self.powers.count
            await asyncio.sleep(self._settles.total_seconds())
            if self.powers.count == count:
                return

    def is_looked_at(self, sensors: Collection[str]) -> bool:
        """Return whether somebody looks at a site that has one of these sensors."""
        return not self._looked_at.isdisjoint(sensors)
