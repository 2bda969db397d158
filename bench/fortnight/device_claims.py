"""Check what Luna says of a directly controlled product against the product itself.

That it follows its command is compared with what an independent client reads of the device; how
long nobody commanded it after a fault is counted.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bench.fortnight.claims import FalseSentence
from bench.fortnight.independent_client import (
    VOLTAGE_KV,
    CommandReader,
    ForcedFlow,
    OfferedPower,
    SeenCommand,
)
from luna.contracts.control import BatterySetpoint, ControlState, VehicleSetpoint
from luna.energy.car_draw import DRAWS_WELL
from luna.energy.devices.switched import LoadSetpoint
from luna.house.control_standing import judge_standing
from luna.platform.database import control
from luna.simulated_home.site import SITE_NAME

# A change by somebody else is found by the reading back of each minute.
FOUND_WITHIN = timedelta(minutes=3)
# Some products show what they draw, and not what they were commanded.
SHOWN_WITHIN = timedelta(seconds=10)
# Two minutes, in turns of a minute, and one of a car that is woken first.
SLEEP_FOUND_WITHIN = timedelta(minutes=6)
# A charger rounds down to whole amperes.
STEP_A = 1.0
WHOLE_KW = 0.01
# More than a fortnight of three devices.
LOGGED = 20_000


@dataclass
class DeviceJudge:
    """Collects what is said of a product's command; ``key``: of the product in the site."""

    key: str
    said: int = 0
    false: list[FalseSentence] = field(default_factory=list)

    def ask(
        self,
        connection: Connection,
        client: CommandReader,
        now: datetime,
        *,
        fault_since: datetime | None,
        asleep_for: timedelta = timedelta(0),
    ) -> FalseSentence | None:
        """Check that a product which is said to follow holds its command, and its car draws."""
        if fault_since is not None and now - fault_since < FOUND_WITHIN:
            return None
        state = control.load(connection, SITE_NAME, self.key)
        # The executor runs in this process, and not as one that the database knows of.
        if judge_standing(state, runs=True, now=now).code != "follows":
            return None
        decision = state.decision
        if decision is not None and now - (decision.confirmed_at or now) < SHOWN_WITHIN:
            return None
        self.said += 1
        found = find_contradiction(state, client.read(), now) or _compare_draw(
            state, asleep_for, now
        )
        if found is not None:
            self.false.append(found)
        return found

    def holds(self, connection: Connection, client: CommandReader, now: datetime) -> bool:
        """Return whether the product holds the last decision."""
        state = control.load(connection, SITE_NAME, self.key)
        return find_contradiction(state, client.read(), now) is None


def find_contradiction(
    state: ControlState, seen: SeenCommand, now: datetime
) -> FalseSentence | None:
    """Return what is wrong with a product that follows its last decision, by what it holds."""
    if state.decision is None:
        return FalseSentence(now, f"{state.device} follows", "nothing was decided")
    (setpoint,) = state.decision.allowed.values()
    if isinstance(seen, OfferedPower) and isinstance(setpoint, VehicleSetpoint):
        wrong = _offers_otherwise(setpoint, seen)
    elif isinstance(seen, bool) and isinstance(setpoint, LoadSetpoint):
        wrong = setpoint.mode != "own" and seen != (setpoint.mode == "on")
    elif isinstance(seen, ForcedFlow) and isinstance(setpoint, BatterySetpoint):
        # Towards a state of charge the session may command another mode, but no opposite one.
        directions = {"charge": (0, 1), "export": (0, -1)}
        wrong = seen.direction not in directions.get(setpoint.mode, (0,))
    else:
        wrong = True
    if not wrong:
        return None
    return FalseSentence(now, f"{state.device} follows {setpoint}", f"the device holds {seen}")


def _compare_draw(
    state: ControlState, asleep_for: timedelta, now: datetime
) -> FalseSentence | None:
    """Check that a car that has slept for a while beside its charge was noticed."""
    decision = state.decision
    if decision is None or decision.confirmed_at is None:
        return None
    (setpoint,) = decision.allowed.values()
    is_charging = isinstance(setpoint, VehicleSetpoint) and setpoint.mode == "charge"
    commanded_for = now - (decision.mode_since or decision.confirmed_at)
    if not is_charging or min(asleep_for, commanded_for) < SLEEP_FOUND_WITHIN:
        return None
    draws = [report.draw for report in state.reports.values() if report.draw is not None]
    if any(draw.verdict not in DRAWS_WELL for draw in draws):
        return None
    return FalseSentence(
        now, f"{state.device} draws as commanded: {draws}", f"the car has slept for {asleep_for}"
    )


def _offers_otherwise(setpoint: VehicleSetpoint, seen: OfferedPower) -> bool:
    """Return whether a charger offers another power than it was commanded."""
    if setpoint.mode == "own":
        return False
    if setpoint.mode == "stop":
        return seen.current_a > 0
    lacking_kw = setpoint.charge_kw - seen.power_kw
    return not -WHOLE_KW <= lacking_kw <= STEP_A * seen.phases * VOLTAGE_KV + WHOLE_KW


@dataclass
class ControlWatch:
    """For how long a product was without control after each kind of fault."""

    longest: dict[str, timedelta] = field(default_factory=dict)
    _since: dict[str, datetime] = field(default_factory=dict)

    def begin(self, fault: str, now: datetime) -> None:
        """Count from now on until the product is controlled again."""
        self._since.setdefault(fault, now)
        self.longest.setdefault(fault, timedelta(0))

    @property
    def is_open(self) -> bool:
        """Whether the product was not controlled again since a fault."""
        return bool(self._since)

    def check(self, now: datetime, *, is_in_control: bool) -> None:
        """Close what is open if the product follows its command."""
        for fault, since in self._since.items():
            self.longest[fault] = max(self.longest[fault], now - since)
        if is_in_control:
            self._since.clear()


@dataclass(frozen=True, slots=True)
class CommandCounts:
    """Decisions that were sent to a product, and what came of them."""

    sent: int
    confirmed: int

    @property
    def unconfirmed(self) -> int:
        """Decisions that nothing confirmed."""
        return self.sent - self.confirmed


def count_commands(connection: Connection, key: str) -> CommandCounts:
    """Return the commands of a product in the control log."""
    entries = [
        entry
        for entry in control.read_log(connection, SITE_NAME, limit=LOGGED)
        if entry.device == key
    ]
    confirmed = sum(entry.confirmed is not None for entry in entries)
    return CommandCounts(len(entries), confirmed)
