"""Controllers of the simulated home: Luna's own, and a plain copy of the peers' rule."""

from dataclasses import dataclass, field

from luna.energy.steering import (
    LiveCommands,
    LiveLimits,
    LiveMeasurement,
    LoopMemory,
    SlotTargets,
    SteeredDevices,
    SteeredVehicle,
    VehicleCommand,
    steer,
)


@dataclass(slots=True)
class Steering:
    """Luna's decision function with its memory; limits hold from a second on."""

    targets: SlotTargets
    devices: SteeredDevices
    limits: LiveLimits = field(default_factory=LiveLimits)
    limits_from: tuple[tuple[float, LiveLimits], ...] = ()
    memory: LoopMemory = field(default_factory=LoopMemory)

    def __call__(self, measured: LiveMeasurement) -> LiveCommands:
        limits = self.limits
        for since_s, later in self.limits_from:
            if measured.at_s >= since_s:
                limits = later
        commands, self.memory = steer(
            self.targets, measured, self.memory, limits=limits, devices=self.devices
        )
        return commands


@dataclass(slots=True)
class MeanSurplusRule:
    """The rule that evcc and others have by default: mean surplus with delays.

    A car starts once the surplus has passed its least power for a minute without a break, stops
    once it has drawn from the grid at its least power for three minutes, and changes to three
    phases after a minute of enough surplus, back after three without. Every half minute its
    current follows the surplus, rounded down.

    Source: documentation of evcc, loadpoint ``mode: pv``: ``enable.delay`` 1 min,
    ``disable.delay`` 3 min; ``phases: 0``; ``interval`` 30 s.
    """

    name: str
    device: SteeredVehicle
    enable_s: float = 60.0
    disable_s: float = 180.0
    interval_s: float = 30.0
    phases: int = 0
    current_a: int = 0
    last_s: float = -1e9
    counting_s: float | None = None
    scaling_s: float | None = None

    def __call__(self, measured: LiveMeasurement) -> LiveCommands:
        if measured.at_s - self.last_s >= self.interval_s:
            self.last_s = measured.at_s
            self._decide(measured)
        if not self.current_a:
            return LiveCommands(
                vehicles={self.name: VehicleCommand("stop", 0.0, 0, 0.0, "waits_for_surplus")}
            )
        power_kw = self.device.power_kw(self.phases, self.current_a)
        command = VehicleCommand(
            "charge", power_kw, self.phases, float(self.current_a), "follows_surplus"
        )
        return LiveCommands(vehicles={self.name: command})

    def _decide(self, measured: LiveMeasurement) -> None:
        at_s = measured.at_s
        battery_kw = sum(battery.charge_kw for battery in measured.batteries.values())
        # Surplus that a battery takes counts as the car's, as evcc has it above its priority.
        surplus_kw = measured.export_kw - measured.import_kw + battery_kw
        available_kw = surplus_kw + measured.vehicles[self.name].kw
        fewest = min(self.device.phases)
        most = max(self.device.phases)
        least_kw = self.device.power_kw(fewest, self.device.min_current_a)
        if not self.current_a:
            self._count(at_s, is_met=available_kw >= least_kw)
            if self.counting_s is not None and at_s - self.counting_s >= self.enable_s:
                self.counting_s = None
                self.phases = self.phases or fewest
                self._follow(available_kw)
            return
        self._count(at_s, is_met=available_kw < least_kw)
        if self.counting_s is not None and at_s - self.counting_s >= self.disable_s:
            self.counting_s = None
            self.current_a = 0
            return
        self._scale(at_s, available_kw, fewest=fewest, most=most)
        self._follow(available_kw)

    def _count(self, at_s: float, *, is_met: bool) -> None:
        if not is_met:
            self.counting_s = None
        elif self.counting_s is None:
            self.counting_s = at_s

    def _scale(self, at_s: float, available_kw: float, *, fewest: int, most: int) -> None:
        least_of_most_kw = self.device.power_kw(most, self.device.min_current_a)
        wants_more = self.phases != most and available_kw >= least_of_most_kw
        wants_fewer = self.phases != fewest and available_kw < least_of_most_kw
        if not wants_more and not wants_fewer:
            self.scaling_s = None
            return
        if self.scaling_s is None:
            self.scaling_s = at_s
        delay_s = self.enable_s if wants_more else self.disable_s
        if at_s - self.scaling_s >= delay_s:
            self.scaling_s = None
            self.phases = most if wants_more else fewest

    def _follow(self, available_kw: float) -> None:
        step_kw = self.device.power_kw(self.phases, 1.0)
        current_a = int(available_kw / step_kw)
        self.current_a = int(
            min(max(current_a, self.device.min_current_a), self.device.max_current_a)
        )
