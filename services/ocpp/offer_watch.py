"""Watch how much of its limit a charge point offers.

Somebody may set another limit in the maker's app or by a second central system. What a charge
point offers is read back from its schedules; one that does not tell them says it by what it
measures. A car that draws less than before is a reason to look, and no proof: it may be full.
"""

import math
from collections.abc import Callable

from luna.contracts.charge_points import ChargePointLimit
from luna.energy.car_draw import LEAST_CURRENT_A
from services.ocpp.charging_schedule import RENEW_SECONDS

# Off its limit by less it may measure wrongly.
BEYOND_A = 1.0
FOLLOWS_SECONDS = 15.0
# How often schedules are read back.
READ_SECONDS = 60.0
# A car that draws less than this share of what it drew before is a reason to look.
_DROP_SHARE = 0.7
_DRAWS_W = 1000.0
# States in which a limit of sessions is in force, in both versions of OCPP.
_PAUSED = "SuspendedEVSE"
_IN_SESSION = frozenset({"Charging", "SuspendedEV", _PAUSED})
_UNSUPPORTED = ("NotSupported", "NotImplemented")


class OfferWatch:
    """The offer of one charge point; ``seconds``: a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        # Of the accepted limit; None: it has none of Luna's.
        self._limit_a: float | None = None
        self._accepted_at = -math.inf
        # When its limit was last sent again because it offered something else.
        self._corrected_at = -math.inf
        self._reads_at = math.inf
        self._tells_schedules = True
        self._is_in_session = False
        # The most that it is known to have offered on this connection.
        self._most_a = 0.0
        self._drawn_w = 0.0
        self.offered_a = math.nan

    def restart(self) -> None:
        """Forget the limit, as after a boot or a new connection."""
        self._tells_schedules = True
        self._most_a = 0.0
        self.begin(None)

    def begin(self, limit: ChargePointLimit | None) -> None:
        """Take a limit that was accepted now; None: it has none."""
        limit_a = None
        if limit is not None and limit.own != 1:
            limit_a = 0.0 if limit.charging == 0 else limit.current_a or 0.0
        # The same limit again changes nothing until that shows.
        if limit_a != self._limit_a:
            self.offered_a = math.nan
            self._drawn_w = 0.0
        self._limit_a = limit_a
        self._accepted_at = self._seconds()
        self._reads_at = self._accepted_at + FOLLOWS_SECONDS

    @property
    def is_due(self) -> bool:
        """Whether its schedules are to be read back now."""
        is_read = self._tells_schedules and self._is_in_session
        return is_read and bool(self._limit_a) and self._seconds() >= self._reads_at

    @property
    def is_overridden(self) -> bool:
        """Whether it offers less than its limit and than it offered before.

        What it never offered, its cable or its installer may forbid.
        """
        if not self._limit_a:
            return False
        # What is unknown, NaN, is not less.
        return self.offered_a < min(self._limit_a, self._most_a) - BEYOND_A

    def take_schedule(self, offered_a: float) -> bool:
        """Take what its schedules allow; return whether to send its limit."""
        self._reads_at = self._seconds() + READ_SECONDS
        return self._take(offered_a)

    def take_refusal(self, reason: str) -> None:
        """Note that it did not tell its schedules, and why."""
        self._reads_at = self._seconds() + RENEW_SECONDS
        if reason.startswith(_UNSUPPORTED):
            self._tells_schedules = False

    def take_measured(self, power_w: float, offered_a: float, *, charges: bool) -> bool:
        """Take what it measures; return whether to send its limit."""
        # Sooner it may not have followed yet.
        has_followed = self._seconds() - self._accepted_at >= FOLLOWS_SECONDS
        if self._limit_a is None or not has_followed:
            return False
        has_dropped = self._drawn_w >= _DRAWS_W and power_w < _DROP_SHARE * self._drawn_w
        if has_dropped:
            self._drawn_w = power_w
            self._reads_at = self._seconds()
        elif power_w > self._drawn_w:
            self._drawn_w = power_w
        # It forgot its limit, or somebody raised it. Some always send what they could offer.
        if offered_a > self._limit_a + BEYOND_A:
            return self._may_correct()
        if self._tells_schedules or not self._limit_a:
            return False
        # While it pauses, some send that they offer nothing.
        lacks = charges and self._take(offered_a)
        return lacks or (has_dropped and self._may_correct())

    def take_status(self, status: str, *, charges: bool) -> bool:
        """Take its state; return whether to send its limit."""
        if charges:
            self._most_a = max(self._most_a, LEAST_CURRENT_A)
        self._is_in_session = status in _IN_SESSION
        if not self._is_in_session or not self._tells_schedules:
            self.offered_a = math.nan
        if not self._limit_a or status != _PAUSED:
            return False
        self._reads_at = self._seconds()
        return not self._tells_schedules and self._take(0.0)

    def _take(self, offered_a: float) -> bool:
        if math.isnan(offered_a):
            return False
        self.offered_a = offered_a
        self._most_a = max(self._most_a, offered_a)
        is_less = self._limit_a is not None and offered_a < self._limit_a - BEYOND_A
        return is_less and self._may_correct()

    def _may_correct(self) -> bool:
        """Return whether its limit may be sent again yet."""
        now = self._seconds()
        if now - self._corrected_at < RENEW_SECONDS:
            return False
        self._corrected_at = now
        return True
