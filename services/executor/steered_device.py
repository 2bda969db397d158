"""Connection to the devices of a unit that the steering process commands.

There is one sender. While a steering process lives, this process never writes by itself; once none
has lived for half a minute it takes the sender's lock and writes as for other sites, until
steering is back.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from luna.contracts.device_template import Write
from luna.contracts.steering import (
    SiteRequest,
    StateQuestion,
    SteeredUnitState,
    SteeringDrop,
    SteeringState,
    SteeringTarget,
)
from luna.drivers.control.device import NOT_FOLLOWED, Device, DeviceError
from luna.drivers.control.profile_texts import OTHER, PHASES_KEPT
from luna.drivers.folder_lock import FolderLock
from luna.energy.devices.commands import CAR_OF
from luna.house.steering_channel import (
    PROCESS_LOCK,
    SENDER_LOCK,
    SteeringAwayError,
    SteeringClient,
)
from luna.house.steering_targets import TargetFolder

# A killed process is restarted within seconds, and devices keep their commands meanwhile.
TAKEOVER_SECONDS = 30.0
UnitKey = tuple[str, str]

log = structlog.get_logger("luna.executor")


class SteeringLink:
    """Sender to the steered units: the steering process or, without one, this process.

    Thread-safe.

    Args:
        data_folder: shared with steering.
        seconds: a clock that never goes back.
    """

    def __init__(self, data_folder: Path, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self.data_folder = data_folder
        self._seconds = seconds
        self._sender = FolderLock(data_folder, SENDER_LOCK)
        self._steering = FolderLock(data_folder, PROCESS_LOCK)
        self._targets = TargetFolder(data_folder)
        self._mutex = threading.Lock()
        self._away_since_s: float | None = None
        self._own_units: set[UnitKey] = set()

    def take_over(self, unit: UnitKey) -> bool:
        """Return whether this process may command a unit that steering does not answer for."""
        with self._mutex:
            if not self._steering.is_free():
                self._away_since_s = None
                return False
            if self._away_since_s is None:
                self._away_since_s = self._seconds()
            if self._seconds() - self._away_since_s < TAKEOVER_SECONDS:
                return False
            if not self._sender.take():
                return False
            if unit not in self._own_units:
                log.warning(
                    "steering is away; the executor commands the device",
                    site_id=unit[0],
                    device=unit[1],
                    remedy="Start services.steering.",
                )
            self._own_units.add(unit)
            return True

    def step_back(self, unit: UnitKey) -> None:
        """Leave a unit to steering, which commands once the last unit is left to it."""
        with self._mutex:
            self._away_since_s = None
            if unit in self._own_units:
                log.info("steering is back", site_id=unit[0], device=unit[1])
            self._own_units.discard(unit)
            if not self._own_units:
                self._sender.release()

    def drop(self, site_id: str, key: str) -> None:
        """Have steering leave a unit, for this process commands it from now on.

        Raises:
            SteeringAwayError: a steering process lives and does not answer, or has not closed its
                connection yet.
        """
        if not self._targets.has(site_id, key):
            return
        client = SteeringClient(self.data_folder)
        try:
            client.ask(SteeringDrop(site_id=site_id, unit=key))
        except SteeringAwayError:
            if not self._steering.is_free():
                raise
            self._targets.remove(site_id, key)
        finally:
            client.close()


class SteeredDevice:
    """The devices of one unit, commanded by steering. Not thread-safe.

    Args:
        unit: site and key.
        open_direct: opens the connection that other sites' units have.
        link: says who commands.
        measured_places: are read over that connection, which commands nothing.
    """

    def __init__(
        self,
        unit: UnitKey,
        open_direct: Callable[[], Device],
        link: SteeringLink,
        measured_places: Collection[str],
    ) -> None:
        self._unit = unit
        self._open_direct = open_direct
        self._link = link
        self._measured_places = frozenset(measured_places)
        self._client = SteeringClient(link.data_folder)
        self._direct: Device | None = None
        self._target: SteeringTarget | None = None
        self._accepted: SteeringTarget | None = None
        self._expected: dict[str, str] = {}
        self._is_away = False
        self.sends_itself = False
        # What steering commands by the present target; None: it does not say.
        self.unit_state: SteeredUnitState | None = None

    def hand_over(
        self, target: SteeringTarget, writes: Sequence[Write], *, is_settled: bool
    ) -> None:
        """Have steering follow a target from now on; where it is away, it gets it later.

        Args:
            target: of the unit.
            writes: stand for the target once steering confirms it.
            is_settled: nothing else has them written where this process takes over.
        """
        self._target = target
        self._expected = {write.read_back or write.to: write.value for write in writes}
        sent_itself = self.sends_itself
        try:
            is_known = target == self._accepted
            state = self._ask(StateQuestion(site_id=self._unit[0]) if is_known else target)
            self.unit_state = None if state is None else self._find_unit(state)
            if state is not None and is_known and self.unit_state is None:
                self._ask(target)
            if is_settled and self.sends_itself and not sent_itself:
                # What steering commanded before it went may be anything by now.
                self._reach_direct().apply(writes)
        except DeviceError as error:
            if not self._is_away:
                log.warning(
                    "the target is not handed over",
                    site_id=self._unit[0],
                    device=self._unit[1],
                    error=str(error),
                )
            self._is_away = True
        else:
            self._is_away = False

    def apply(self, writes: Sequence[Write]) -> None:
        """Return once steering has the target; without steering, write.

        Raises:
            DeviceError: steering does not answer, or its device may not be written to today.
        """
        if self._target is None:
            raise DeviceError("nothing was handed over to steering", field=self._unit[1])
        state = self._ask(self._target)
        if state is None:
            self._reach_direct().apply(writes)
            return
        unit_state = self._find_unit(state)
        if unit_state is not None and unit_state.spent_until is not None:
            until = unit_state.spent_until.isoformat()
            raise DeviceError("the day's writes are spent", field=self._unit[1]).because(
                "device-writes-spent", {"until": until}
            )

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        """Return steering's confirmations and the devices' measurements.

        Raises:
            DeviceError: steering or a device does not answer.
        """
        measured = [place for place in places if place in self._measured_places]
        others = [place for place in places if place not in self._measured_places]
        values = self._reach_direct().read(measured, within=within) if measured else {}
        values |= self._add_phases(values)
        if others:
            values |= self._read_commanded(others, within)
        return values

    def close(self) -> None:
        """Close the connections; steering goes on."""
        self._client.close()
        self._close_direct()
        self._link.step_back(self._unit)

    def _add_phases(self, measured: Mapping[str, str]) -> dict[str, str]:
        """Return chargers' readings with what only their commander knows of their phases."""
        kept = None if self.unit_state is None else self.unit_state.keeps_phases
        if kept is None:
            return {}
        added = {}
        for place, text in measured.items():
            if place.endswith(CAR_OF):
                added[place] = f"{text} {PHASES_KEPT}={kept:d}"
        return added

    def _read_commanded(self, places: Sequence[str], within: timedelta | None) -> dict[str, str]:
        state = self._ask(StateQuestion(site_id=self._unit[0]))
        if state is None:
            return self._reach_direct().read(places, within=within)
        unit_state = self._find_unit(state)
        if unit_state is None:
            # Steering was restarted without this target, or does not command yet.
            self._accepted = None
            return dict.fromkeys(places, OTHER)
        if unit_state.silent:
            raise DeviceError("the device does not answer steering", field=self._unit[1])
        if not unit_state.followed:
            return dict.fromkeys(places, NOT_FOLLOWED)
        if not unit_state.confirmed:
            return dict.fromkeys(places, OTHER)
        return {place: self._expected[place] for place in places if place in self._expected}

    def _find_unit(self, state: SteeringState) -> SteeredUnitState | None:
        """Return the unit's state under the present target."""
        unit_state = state.units.get(self._unit[1])
        if unit_state is None or self._target is None:
            return None
        return unit_state if unit_state.target_id == self._target.target_id else None

    def _ask(self, request: SiteRequest) -> SteeringState | None:
        """Return steering's answer, None where this process commands.

        Raises:
            DeviceError: steering does not answer, and nobody else may command yet.
        """
        try:
            state = self._client.ask(request)
        except SteeringAwayError as error:
            self._accepted = None
            self.sends_itself = self._link.take_over(self._unit)
            if self.sends_itself:
                return None
            raise DeviceError(
                error.message, field="steering", remedy="Look whether services.steering runs."
            ) from error
        if self.sends_itself:
            self._close_direct()
            self.sends_itself = False
        self._link.step_back(self._unit)
        if isinstance(request, SteeringTarget):
            self._accepted = request
        elif self._accepted is None and self._target is not None:
            state = self._client_answer(self._target) or state
        return state

    def _client_answer(self, target: SteeringTarget) -> SteeringState | None:
        """Hand the target over again to one that was away meanwhile."""
        try:
            state = self._client.ask(target)
        except SteeringAwayError:
            return None
        self._accepted = target
        return state

    def _reach_direct(self) -> Device:
        if self._direct is None:
            self._direct = self._open_direct()
        return self._direct

    def _close_direct(self) -> None:
        if self._direct is not None:
            self._direct.close()
        self._direct = None
