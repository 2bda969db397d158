"""Run the cycles of all steered sites in one loop, and answer executor and recorder.

A cycle computes and hands commands to its units' threads, so that no device delays it.
"""

import os
import platform
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version

import structlog
from prometheus_client import Gauge, Histogram

from luna.contracts.health import Check, ControlSign
from luna.contracts.steering import (
    MeasuredFlow,
    RecordsQuestion,
    SignQuestion,
    SteeringAnswer,
    SteeringDrop,
    SteeringRequest,
    SteeringTarget,
)
from luna.drivers.control.device import Device
from luna.drivers.folder_lock import FolderLock
from luna.energy.errors import LunaError
from luna.energy.site.control import Control
from luna.house.steering_targets import TargetFolder
from luna.platform.clock import Clock
from luna.platform.health.readiness import Liveness
from services.steering.memory_file import MemoryFile
from services.steering.records import RecordJournal, SlotRecords
from services.steering.steered_site import SteeredSite

# A site's cycle comes with each new flow, and otherwise this often.
CYCLE_SECONDS = 2.0
LOOK_SECONDS = 0.25
# Time for all devices to be handed back at the end.
RELEASE_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
# A sign of life comes at least this often.
SIGN_TURN = timedelta(seconds=5)

SITES = Gauge("luna_steering_sites", "Sites whose devices follow the meters.")
STALE = Gauge("luna_steering_stale_sites", "Steered sites whose meters are silent.")
ABOVE = Gauge("luna_steering_sites_above_limit", "Steered sites that exceed a limit.")
LATENESS = Histogram(
    "luna_steering_cycle_lateness_seconds",
    "By how much a site's cycle came late.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 15),
)

log = structlog.get_logger("luna.steering")


class SteeringLoop:
    """The steered sites and their cycles.

    Args:
        targets: on disk.
        sender: the lock of the one that commands devices.
        open_device: opens the connection to devices of a section ``control``.
        clock: gives instants.
        seconds: a clock that never goes back.
    """

    def __init__(
        self,
        targets: TargetFolder,
        sender: FolderLock,
        open_device: Callable[[Control], Device],
        *,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._targets = targets
        self._sender = sender
        self._open_device = open_device
        self._clock = clock
        self._seconds = seconds
        self._mutex = threading.Lock()
        self._sites: dict[str, SteeredSite] = {}
        self._due_s: dict[str, float] = {}
        # Targets of units that no disk has yet.
        self._unkept: set[tuple[str, str]] = set()
        self._journal = RecordJournal()
        # Looked up once: its sign of life is asked for every two seconds.
        self._version = version("luna-energy")
        self._started_at = clock.now()
        self._turned_at = self._started_at

    def load(self) -> None:
        """Take up the targets on disk."""
        for target in self._targets.load():
            try:
                self._site(target.site_id).set_target(target)
            except LunaError as error:
                log.warning("a target cannot be followed", site_id=target.site_id, error=str(error))

    def answer(self, request: SteeringRequest) -> SteeringAnswer:
        """Take a message, and return its site's state, or the process's sign or records."""
        if isinstance(request, SignQuestion):
            return SteeringAnswer(sign=self.describe_life())
        if isinstance(request, RecordsQuestion):
            return SteeringAnswer(records=self._journal.answer(request))
        try:
            if isinstance(request, SteeringTarget):
                self._take(request)
            elif isinstance(request, SteeringDrop):
                self._site(request.site_id).drop(request.unit)
                self._targets.remove(request.site_id, request.unit)
            elif isinstance(request, MeasuredFlow):
                self._site(request.site_id).set_flow(request.flow)
        except (LunaError, OSError) as error:
            log.warning("a message is not taken", site_id=request.site_id, error=str(error))
            return SteeringAnswer(fault=str(error))
        site = self._site(request.site_id)
        return SteeringAnswer(state=site.describe(sends=self._sender.is_taken))

    def _take(self, target: SteeringTarget) -> None:
        """Follow a target, and keep it on disk; what a full disk refused is tried again."""
        key = (target.site_id, target.unit)
        is_new = self._site(target.site_id).set_target(target)
        if not is_new and key not in self._unkept:
            return
        if self._targets.store(target):
            self._unkept.discard(key)
        else:
            self._unkept.add(key)

    def _site(self, site_id: str) -> SteeredSite:
        with self._mutex:
            if site_id not in self._sites:
                self._sites[site_id] = SteeredSite(
                    site_id,
                    self._open_device,
                    MemoryFile(self._targets.folder, site_id),
                    SlotRecords(site_id, self._journal),
                    clock=self._clock,
                    seconds=self._seconds,
                )
            return self._sites[site_id]

    def run(self, pulse: Liveness, *, ending: threading.Event) -> None:
        """Run cycles until ``ending`` is set, then hand the devices back."""
        while not ending.is_set():
            pulse.beat()
            self.turn()
            ending.wait(LOOK_SECONDS)
        self.hand_back()
        self.close()
        self.join()

    def turn(self) -> None:
        """Run the cycles that are due, where this process may command devices."""
        self._turned_at = self._clock.now()
        if not self._sender.take():
            return
        with self._mutex:
            sites = list(self._sites.values())
        for site in sites:
            if site.is_empty:
                continue
            now_s = self._seconds()
            due_s = self._due_s.get(site.site_id, now_s)
            if now_s < due_s and not site.is_changed:
                continue
            LATENESS.observe(max(now_s - due_s, 0.0))
            self._due_s[site.site_id] = now_s + CYCLE_SECONDS
            try:
                site.cycle()
            except Exception:  # the edge of a site's cycle: the others go on
                log.exception("a cycle failed", site_id=site.site_id)
            for key in site.take_released():
                self._forget(site.site_id, key)
        SITES.set(sum(not site.is_empty for site in sites))
        STALE.set(sum(site.is_stale for site in sites))
        ABOVE.set(sum(site.is_above for site in sites))

    def describe_life(self) -> ControlSign:
        """Return the process's sign of life with the sites that it steers."""
        with self._mutex:
            sites = [site for site in self._sites.values() if not site.is_empty]
        stands = tuple(site.describe_life() for site in sites)
        blind = sum(stand.blind_since is not None for stand in stands)
        checks = (
            Check(
                "sender",
                ok=self._sender.is_taken,
                latency_ms=0.0,
                detail="" if self._sender.is_taken else "another process commands the devices",
            ),
            Check(
                "meters",
                ok=blind == 0,
                latency_ms=0.0,
                detail=f"{blind} of {len(stands)} sites without fresh values" if blind else "",
                figures={"blind": blind, "sites": len(stands)},
            ),
        )
        return ControlSign(
            name=f"{platform.node()}-{os.getpid()}",
            version=self._version,
            started_at=self._started_at,
            turned_at=self._turned_at,
            turn=SIGN_TURN,
            checks=checks,
            sites=stands,
        )

    def _forget(self, site_id: str, key: str) -> None:
        """Remove the target of a unit that was handed back: a restart leaves it alone."""
        try:
            self._targets.remove(site_id, key)
        except OSError as error:
            log.warning("a target cannot be removed", site_id=site_id, error=str(error))

    def hand_back(self, *, within_s: float = RELEASE_SECONDS) -> list[tuple[str, str]]:
        """Hand every device back; return the units that did not confirm in time."""
        with self._mutex:
            sites = list(self._sites.values())
        if not self._sender.is_taken:
            return []
        for site in sites:
            site.hand_back()
        deadline = time.monotonic() + within_s
        while any(site.unconfirmed for site in sites) and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
        left = [(site.site_id, key) for site in sites for key in site.unconfirmed]
        for site_id, key in left:
            log.error(
                "a device is not handed back: it did not confirm",
                site_id=site_id,
                device=key,
                remedy="Set it to its own mode in its app or at its display.",
            )
        return left

    def close(self) -> None:
        """Have all connections closed; the devices keep their last commands."""
        with self._mutex:
            sites = list(self._sites.values())
        for site in sites:
            site.close()

    def join(self, timeout_s: float = RELEASE_SECONDS) -> None:
        """Wait until the connections are closed."""
        deadline = time.monotonic() + timeout_s
        with self._mutex:
            sites = list(self._sites.values())
        for site in sites:
            site.join(max(deadline - time.monotonic(), 0.0))
