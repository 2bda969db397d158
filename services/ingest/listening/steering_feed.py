"""Send the live flows of steered sites to the steering process, without a queue in between."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import structlog

from luna.contracts.health import ControlSign
from luna.contracts.live_steering import LiveSteering
from luna.contracts.steering import MeasuredFlow, SiteRequest, StateQuestion
from luna.energy.site import Site
from luna.house.steering_channel import SteeringAwayError, SteeringClient
from luna.platform.clock import Clock
from services.ingest.listening.live_powers import LivePowers, list_sensors

log = structlog.get_logger("luna.ingest.live")


class SteeringFeed:
    """Sends what flows at steered sites, and names their sensors.

    Args:
        powers: holds the latest readings.
        data_folder: with steering's socket.
        clock: source of each turn's instant.
    """

    def __init__(self, powers: LivePowers, data_folder: Path, *, clock: Clock) -> None:
        self._powers = powers
        self._client = SteeringClient(data_folder)
        self._clock = clock
        self._sensors: frozenset[str] = frozenset()
        self._is_away = False
        # What steering answered last, by site.
        self.shown: Mapping[str, LiveSteering] = {}
        # Steering's last sign of life, None where it never gave one.
        self.sign: ControlSign | None = None

    async def turn(self, sites: Sequence[Site]) -> None:
        """Send the present flows of the steered sites, and note what steering does and its sign.

        Nobody is waited for longer than a moment; where steering is away, the others come next
        time.
        """
        steered = [site for site in sites if site.control is not None and site.control.is_steered]
        self._sensors = list_sensors(steered, [site.name for site in steered])
        now = self._clock.now()
        shown: dict[str, LiveSteering] = {}
        for site in steered:
            flow = self._powers.read_flow(site, now=now)
            request: SiteRequest = StateQuestion(site_id=site.name)
            if flow is not None:
                request = MeasuredFlow(site_id=site.name, flow=flow)
            try:
                state = await asyncio.to_thread(self._client.ask, request)
            except SteeringAwayError as error:
                if not self._is_away:
                    log.warning("steering gets no live values", error=str(error))
                self._is_away = True
                break
            self._is_away = False
            live = LiveSteering.of(state)
            if live is not None:
                shown[site.name] = live
        self.shown = shown
        if (steered and not self._is_away) or self.sign is not None:
            await self._note_sign()

    async def _note_sign(self) -> None:
        try:
            self.sign = await asyncio.to_thread(self._client.read_sign)
        except SteeringAwayError:
            # The last sign becomes old.
            return

    def is_steered(self, sensors: Collection[str]) -> bool:
        """Return whether a steered site has one of these sensors."""
        return not self._sensors.isdisjoint(sensors)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
