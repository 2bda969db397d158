"""Simulate a product from its profile: points that are written, time that passes, falling back.

What flows is the physics of its kind: ``simulator.py``, ``simulated_charge_point.py``.
"""

import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from luna.drivers.point_image import PointImage, make_image
from luna.drivers.profile import DeviceProfile, ProfileMode
from luna.drivers.profile_points import PointWrite

STEP_SECONDS = 5.0


@dataclass
class SimulatedProduct(ABC):
    """A product, thread-safe; the simulation advances whenever it is accessed.

    Args:
        profile: of the device.
        now: seconds of a clock.
    """

    profile: DeviceProfile
    now: Callable[[], float] = field(default=time.monotonic, kw_only=True)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._begun_at = self.now()
        self._stepped_at = self._begun_at
        self._commanded_at = self._begun_at
        self.image: PointImage = make_image(self.profile)
        # Fault: points with a fixed value, in their units; NaN: no value.
        self.stuck: dict[str, float] = {}
        # Fault: commands are acknowledged and ignored.
        self.deaf = False
        # All writes of clients, in order.
        self.written: list[tuple[Any, Any]] = []

    @property
    @abstractmethod
    def mode(self) -> ProfileMode:
        """The mode that the points command."""

    @abstractmethod
    def _step(self, seconds: float) -> None:
        """Let time pass."""

    @abstractmethod
    def _show(self) -> None:
        """Show what is measured in the points."""

    def write(self, place: Any, value: Any) -> bool:
        """Apply a client's write, with address and value of the transport.

        Return whether the point is writable.
        """
        with self._lock:
            self._advance()
            before = self._heartbeat
            if not self.image.write(place, value):
                return False
            self.written.append((place, value))
            # With a heartbeat, only its change restarts the reversion timer.
            if before is None or before != self._heartbeat:
                self._commanded_at = self.now()
            return True

    def look(self) -> PointImage:
        """Return the points, advanced to now."""
        with self._lock:
            self._advance()
            return self.image

    def reboot(self) -> None:
        """Forget every command, as after a power failure."""
        with self._lock:
            self._advance()
            self._revert()

    def _advance(self) -> None:
        now = self.now()
        while self._stepped_at < now:
            seconds = min(STEP_SECONDS, now - self._stepped_at)
            if self._stepped_at - self._commanded_at >= self._reverts_after_s():
                self._revert()
            self._step(seconds)
            self._stepped_at += seconds
        if now - self._commanded_at >= self._reverts_after_s():
            self._revert()
        self._show()

    @property
    def _heartbeat(self) -> float | None:
        """The count of the client's heartbeat, None where the profile declares none."""
        reverts = self.profile.reverts
        if reverts is None or reverts.heartbeat is None:
            return None
        return self.image.value(reverts.heartbeat)

    def _reverts_after_s(self) -> float:
        """Return the current mode's reversion time, s: the command's, else the profile's."""
        reverts = self.profile.reverts
        if reverts is None or reverts.after_s is None:
            return math.inf
        mode = self.mode
        if mode == self.profile.own_mode or mode in reverts.stays_in:
            return math.inf
        units = {"reversion_s": 1, "reversion_min": 60}
        for write in self.profile.modes.get(mode, ()):
            if write.put in units:
                # A reversion time of 0 means never.
                return self.image.value(write.write) * units[write.put] or math.inf
        return reverts.after_s

    def _has_constant(self, write: PointWrite) -> bool:
        """Return whether a point holds the constant that the mode writes, True without one."""
        value = self._constant(write)
        return value is None or math.isclose(self.image.value(write.write), value)

    def _constant(self, write: PointWrite) -> float | None:
        """Return the value that a mode always writes, None where it depends on the set-point."""
        if write.put == "value" and write.of is not None:
            return self.image.value(write.of)
        return write.value

    def _revert(self) -> None:
        for point, value in self._list_own_values().items():
            self.image.put(point, value)

    def _list_own_values(self) -> Mapping[str, float]:
        """Return what the device writes itself when it falls back, by point."""
        if self.profile.simulated.falls_back_to:
            return self.profile.simulated.falls_back_to
        values: dict[str, float] = {}
        for write in self.profile.modes.get(self.profile.own_mode, ()):
            value = self._constant(write)
            if value is not None:
                values[write.write] = value
        return values
