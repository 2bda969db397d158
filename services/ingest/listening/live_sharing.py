"""Sharing of the sites' live flows with the gateway, and the sites in view."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

import structlog

from luna.contracts.live_steering import LiveSteering
from luna.energy.errors import UnavailableError
from luna.energy.site import Site
from luna.platform.clock import Clock
from luna.platform.queue.live_flows import LiveFlows
from services.ingest.listening.live_powers import LivePowers, list_sensors

# A device sends its values one after the other within some ten milliseconds: a flow from half of
# them would not add up.
SETTLES = timedelta(milliseconds=150)
MOST_WAITS = 5

log = structlog.get_logger("luna.ingest.live")


class LiveSharing:
    """Stores the live flows of the sites turn by turn.

    Args:
        powers: holds the latest readings.
        flows: storage from which the gateway reads them.
        clock: source of each turn's instant.
        settles: values of one moment arrive within this time; a turn waits for the last of them.
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

    async def turn(self, sites: Sequence[Site], steering: Mapping[str, LiveSteering]) -> None:
        """Store the present flows and the steering of sites, and update the sites in view.

        While Redis is away no site counts as in view.
        """
        await self._settle()
        now = self._clock.now()
        flows = {site.name: self.powers.read_flow(site, now=now) for site in sites}
        try:
            looked_at = await asyncio.to_thread(self._flows.share, flows, steering)
        except UnavailableError as error:
            if not self._is_away:
                log.warning("live values cannot be shown", error=str(error))
            self._is_away = True
            self._looked_at = frozenset()
            return
        self._is_away = False
        self._looked_at = list_sensors(sites, looked_at)

    async def _settle(self) -> None:
        """Wait until no value arrives for a moment, but never for long."""
        for _ in range(MOST_WAITS):
            count = self.powers.count
            await asyncio.sleep(self._settles.total_seconds())
            if self.powers.count == count:
                return

    def is_looked_at(self, sensors: Collection[str]) -> bool:
        """Return whether a site with one of these sensors is in view."""
        return not self._looked_at.isdisjoint(sensors)
