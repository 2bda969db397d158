"""Sum up what the loop commanded by quarter-hours, until the recorder fetches it.

It lies in memory, so that no cycle waits for a database or a disk.
"""

import threading
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import structlog
from prometheus_client import Counter

from luna.contracts.control import BatterySetpoint, VehicleSetpoint
from luna.contracts.steering import DeviceTarget, FetchedRecords, RecordsQuestion
from luna.contracts.steering_records import MOST_SWITCHES, SteeredSwitch, SteeringRecord
from luna.drivers.control.units.pv import NAME as PV_NAME
from luna.energy.steering import LiveCommands, LiveMeasurement, SteeredDevices
from luna.energy.timeline import SLOT, floor_to

# Days of a home's devices, while nobody fetches them.
MOST_RECORDS = 5_000
# An answer fits one line of the channel.
MOST_ANSWERED = 40
# What was commanded before a longer pause is not known to have gone on.
_LONGEST_PAUSE_S = 15.0

DROPPED = Counter(
    "luna_steering_records_dropped_total",
    "Quarter-hours of devices that nobody fetched before there were too many.",
)

log = structlog.get_logger("luna.steering")


class RecordJournal:
    """Finished records of all sites, the oldest dropped where there are too many. Thread-safe."""

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._name = uuid.uuid4().hex
        self._most = most
        self._mutex = threading.Lock()
        self._records: deque[SteeringRecord] = deque()
        # Number of the first of them.
        self._first = 0
        self.dropped = 0

    def add(self, records: Iterable[SteeringRecord]) -> None:
        """Append finished records."""
        with self._mutex:
            self._records.extend(records)
            excess = len(self._records) - self._most
            for _ in range(excess):
                self._records.popleft()
                self._first += 1
            if excess <= 0:
                return
            if not self.dropped:
                log.warning("records of steering are dropped: nobody fetches them")
            self.dropped += excess
            DROPPED.inc(excess)

    def answer(self, question: RecordsQuestion) -> FetchedRecords:
        """Forget what is stored, and return what comes next."""
        with self._mutex:
            if question.journal == self._name:
                while self._records and self._first < question.stored:
                    self._records.popleft()
                    self._first += 1
            records = list(islice(self._records, MOST_ANSWERED))
            return FetchedRecords(
                journal=self._name, stored=self._first + len(records), records=records
            )


@dataclass(frozen=True, slots=True)
class DeviceSample:
    """The command and readings of one device in a cycle.

    ``planned_kw`` and ``measured_kw`` are None where there is none.
    """

    mode: str
    reason: str
    power_kw: float | None = None
    planned_kw: float | None = None
    measured_kw: float | None = None


@dataclass(slots=True)
class _Tally:
    """Sums of a device since ``begins_at``."""

    begins_at: datetime
    powered_s: float = 0.0
    power_kws: float = 0.0
    powers_kw: list[float] = field(default_factory=list)
    moved_kws: float | None = None
    reasons: dict[str, float] = field(default_factory=dict)
    switches: list[SteeredSwitch] = field(default_factory=list)

    def add(self, sample: DeviceSample, seconds: float) -> None:
        """Count a sample that held for so long."""
        self.reasons[sample.reason] = self.reasons.get(sample.reason, 0.0) + seconds
        if sample.power_kw is not None:
            self.powered_s += seconds
            self.power_kws += sample.power_kw * seconds
            known_kw = [*self.powers_kw, sample.power_kw]
            self.powers_kw = [min(known_kw), max(known_kw)]
        if sample.planned_kw is not None and sample.measured_kw is not None:
            moved_kws = (sample.measured_kw - sample.planned_kw) * seconds
            self.moved_kws = (self.moved_kws or 0.0) + moved_kws

    def finish(self, site_id: str, device: str, ends_at: datetime) -> SteeringRecord:
        """Return the record of the sums."""
        has_power = self.powered_s > 0.0
        return SteeringRecord(
            site_id=site_id,
            device=device,
            begins_at=self.begins_at,
            ends_at=ends_at,
            mean_kw=self.power_kws / self.powered_s if has_power else None,
            least_kw=self.powers_kw[0] if has_power else None,
            most_kw=self.powers_kw[1] if has_power else None,
            moved_kwh=None if self.moved_kws is None else self.moved_kws / 3600,
            reasons=self.reasons,
            switches=self.switches,
        )


class SlotRecords:
    """The sums of one site's devices in the running quarter-hour."""

    def __init__(self, site_id: str, journal: RecordJournal) -> None:
        self._site_id = site_id
        self._journal = journal
        self._tallies: dict[str, _Tally] = {}
        self._samples: Mapping[str, DeviceSample] = {}
        self._at: datetime | None = None

    def add(self, samples: Mapping[str, DeviceSample], now: datetime) -> None:
        """Count what was commanded until now, and begin with what is commanded from now on."""
        if self._at is not None:
            self._count(self._at, now)
        for device, sample in samples.items():
            tally = self._tallies.setdefault(device, _Tally(now))
            before = self._samples.get(device)
            is_switch = before is not None and before.mode != sample.mode
            if is_switch and len(tally.switches) < MOST_SWITCHES:
                tally.switches.append(
                    SteeredSwitch(
                        at=now, mode=sample.mode, power_kw=sample.power_kw, reason=sample.reason
                    )
                )
        self._samples = samples
        self._at = now

    def _count(self, since: datetime, now: datetime) -> None:
        seconds = (now - since).total_seconds()
        # A clock that was put back says nothing of how long it was.
        seconds = min(seconds, _LONGEST_PAUSE_S) if seconds > 0.0 else 0.0
        if seconds > 0.0:
            for device, sample in self._samples.items():
                self._tallies.setdefault(device, _Tally(since)).add(sample, seconds)
        slot = floor_to(since, SLOT)
        if floor_to(now, SLOT) == slot:
            return
        records = []
        for device, tally in self._tallies.items():
            # Nothing holds beyond the quarter-hour in which it began.
            ends_at = max(min(now, slot + SLOT), tally.begins_at)
            records.append(tally.finish(self._site_id, device, ends_at))
        self._journal.add(records)
        self._tallies = {}


def list_samples(
    commands: LiveCommands,
    planned: Mapping[str, DeviceTarget],
    measured: LiveMeasurement,
    devices: SteeredDevices,
) -> dict[str, DeviceSample]:
    """Return each device's command, planned power and measured power."""
    samples = {}
    for name, battery in commands.batteries.items():
        power = measured.batteries.get(name)
        samples[name] = DeviceSample(
            battery.mode,
            battery.reason,
            power_kw=_sign_power(battery.mode, battery.power_kw),
            planned_kw=_find_planned_kw(planned.get(name)),
            measured_kw=None if power is None else power.charge_kw,
        )
    for name, vehicle in commands.vehicles.items():
        car = measured.vehicles.get(name)
        samples[name] = DeviceSample(
            vehicle.mode,
            vehicle.reason,
            power_kw=None if vehicle.mode == "own" else vehicle.power_kw,
            planned_kw=_find_planned_kw(planned.get(name)),
            measured_kw=None if car is None else car.kw,
        )
    for name, load in commands.loads.items():
        rated_kw = devices.loads[name].power_kw
        powers_kw = {"on": rated_kw, "off": 0.0}
        target = planned.get(name)
        samples[name] = DeviceSample(
            load.mode,
            load.reason,
            power_kw=powers_kw.get(load.mode),
            planned_kw=None if target is None else powers_kw.get(target.setpoint.mode),
            measured_kw=measured.loads_kw.get(name),
        )
    if commands.pv is not None:
        limit_kw = commands.pv.limit_kw
        is_limited = limit_kw < float("inf")
        samples[PV_NAME] = DeviceSample(
            "limit" if is_limited else "free",
            commands.pv.reason,
            power_kw=limit_kw if is_limited else None,
        )
    return samples


def _sign_power(mode: str, power_kw: float) -> float | None:
    """Return a battery's commanded power, None where its inverter decides it."""
    if mode == "charge":
        return power_kw
    if mode == "export":
        return -power_kw
    return 0.0 if mode == "hold" else None


def _find_planned_kw(target: DeviceTarget | None) -> float | None:
    """Return the power that the plan gave, None where it gave none."""
    setpoint = None if target is None else target.setpoint
    if isinstance(setpoint, VehicleSetpoint):
        return {"charge": setpoint.charge_kw, "stop": 0.0}.get(setpoint.mode)
    if isinstance(setpoint, BatterySetpoint) and setpoint.power_kw is not None:
        return _sign_power(setpoint.mode, setpoint.power_kw)
    return None
