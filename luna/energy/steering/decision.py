"""The decision function: from targets and measurements to commands, one cycle at a time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from luna.energy.devices.switched import LoadMode
from luna.energy.steering.battery import (
    SERVING,
    STORING,
    BatteryRoom,
    CycleTime,
    bound_mode,
    command_battery,
    wanted_charge_kw,
)
from luna.energy.steering.devices import (
    SteeredBattery,
    SteeredDevices,
    SteeredLoad,
    SteeredVehicle,
)
from luna.energy.steering.following import (
    OFF,
    Offer,
    SurplusChoice,
    SwitchClock,
    SwitchRules,
    choose_phases,
)
from luna.energy.steering.pv import command_pv, find_hidden_kw, track_export
from luna.energy.steering.rooms import (
    LEAD_S,
    find_export_limit,
    find_import_limit,
    find_rise,
    find_rooms,
    find_steady_rise,
    read_flow,
    track_high,
)
from luna.energy.steering.safe_state import is_readable, steer_blind
from luna.energy.steering.sharing import Allotment, Claim, Room, share_room
from luna.energy.steering.state import (
    BatteryCommand,
    BatteryPower,
    BatteryTarget,
    LiveCommands,
    LiveLimits,
    LiveMeasurement,
    LoadCommand,
    LoadTarget,
    LoopMemory,
    SlotTargets,
    SteeringReason,
    UnitMemory,
    VehicleCommand,
    VehiclePower,
    VehicleTarget,
)
from luna.energy.steering.vehicle import (
    VehicleIntent,
    claim_power,
    command_vehicle,
    expect_draw,
    intend_vehicle,
    remember_switch,
)

# A cycle that came later counts as one of this length: nobody knows what was in between.
_LONGEST_CYCLE_S = 15.0
_NEW = UnitMemory()
_UNKNOWN_BATTERY = BatteryPower(0.0, math.nan)
_IDLE_CAR = VehiclePower(0.0)
_FREE = Allotment(math.inf, None)
# A device has followed once it is this near to its command.
_FOLLOWED_SHARE = 0.15
_FOLLOWED_KW = 0.15
# Surplus that rises or falls steadily is followed with this lead.
SURPLUS_LEAD_S = 3.0
_LOAD_DELAY_S = 5.0
_RUNS_KW = 0.1
# A battery supports a car while it is this much above its floor.
_SUPPORT_SOC = 0.02
# A battery's kWh is cheaper than one from the grid below this share of its price.
_CHEAPER_SHARE = 1.0 - 1e-6
# A battery that leaves this much to the grid takes no more than it does.
_LEAVES_KW = 0.3


def steer(
    targets: SlotTargets,
    measured: LiveMeasurement,
    memory: LoopMemory,
    *,
    limits: LiveLimits,
    devices: SteeredDevices,
) -> tuple[LiveCommands, LoopMemory]:
    """Return what each device does now, and what to remember until the next cycle.

    Args:
        targets: what the plan wants in this slot.
        measured: what the meters read; older than ``STALE_S`` or no number: the safe state.
        memory: what the cycle before returned; a new one at the start.
        limits: what connection, operator and fuses allow, the strictest of each.
        devices: the site's devices, which no slot changes.

    Invariants: powers are finite and within the devices' ranges and what limits leave; no device
    that follows surplus starts, or changes phases, oftener a day than it may.
    """
    memory = _begin_day(memory, measured)
    if not is_readable(measured):
        return steer_blind(targets, measured, memory, limits=limits, devices=devices)
    elapsed_s = measured.at_s - memory.at_s
    # NaN compares as false: the first cycle has no length.
    elapsed_s = min(elapsed_s, _LONGEST_CYCLE_S) if elapsed_s > 0.0 else 0.0
    cycle = _Cycle(
        targets, measured, memory=memory, limits=limits, devices=devices, elapsed_s=elapsed_s
    )
    return cycle.run()


def _begin_day(memory: LoopMemory, measured: LiveMeasurement) -> LoopMemory:
    """Return the memory with counts that begin anew with the local day."""
    if memory.day == measured.day:
        return memory
    units = {}
    for name, unit in memory.units.items():
        units[name] = replace(unit, starts=0, phase_changes=0, charged_kwh=0.0, bought_kwh=0.0)
    return replace(memory, day=measured.day, units=units)


@dataclass(frozen=True, slots=True)
class _LoadIntent:
    is_on: bool
    reason: SteeringReason
    unit: UnitMemory


class _Cycle:
    """One run of the decision function."""

    def __init__(
        self,
        targets: SlotTargets,
        measured: LiveMeasurement,
        *,
        memory: LoopMemory,
        limits: LiveLimits,
        devices: SteeredDevices,
        elapsed_s: float,
    ) -> None:
        self._targets = targets
        self._measured = measured
        self._memory = memory
        self._limits = limits
        self._devices = devices
        self._elapsed_s = elapsed_s
        self._flow = read_flow(measured)
        pv_kw = max(devices.pv_kw, measured.pv_kw)
        self._rise_kw_s = find_rise(self._flow, memory, elapsed_s, pv_kw=pv_kw)
        self._steady_kw_s = find_steady_rise(self._rise_kw_s, memory.rise_kw_s)
        self._units = _settle_all(memory, measured, devices)
        self._cars: dict[str, VehicleIntent] = {}
        self._loads: dict[str, _LoadIntent] = {}

    def run(self) -> tuple[LiveCommands, LoopMemory]:
        self._share_surplus()
        flow = self._flow
        # Limits count with the draw that rises on until devices follow.
        soon_kw = flow.drawn_kw + LEAD_S * max(self._steady_kw_s, 0.0)
        high_kw = track_high(soon_kw, self._memory.drawn_high_kw, self._elapsed_s)
        now = self._find_rooms(soon_kw)
        claims = self._claim(self._find_rooms(flow.drawn_kw) if now else {})
        allotments = share_room(claims, now) if now else {}
        allotments = self._wait_for_batteries(claims, now, allotments)
        if now and high_kw > soon_kw:
            steady = share_room(claims, self._find_rooms(high_kw))
            allotments = self._rise_slowly(allotments, steady)
        vehicles = self._command_vehicles(allotments)
        loads = self._command_loads(allotments)
        export_kw = find_export_limit(self._limits, pv_export=self._targets.pv_export)
        batteries = self._command_batteries(allotments, vehicles, loads, export_kw)
        tracked = track_export(
            self._memory,
            house_kw=max(self._measured.pv_kw + flow.drawn_kw, 0.0),
            over_kw=-flow.net_kw - export_kw,
            elapsed_s=self._elapsed_s,
        )
        pv = command_pv(
            self._devices,
            self._targets,
            self._measured,
            flow,
            export_kw=export_kw,
            tracked=tracked,
        )
        memory = LoopMemory(
            at_s=self._measured.at_s,
            day=self._measured.day,
            units=self._units,
            drawn_kw=flow.drawn_kw,
            controlled_kw=flow.controlled_kw,
            rise_kw_s=self._rise_kw_s,
            drawn_high_kw=high_kw,
            house_low_kw=tracked.house_low_kw,
            excess_kws=tracked.excess_kws,
            pv_limit_kw=math.inf if pv is None else pv.limit_kw,
        )
        return LiveCommands(batteries, vehicles, loads, pv), memory

    def _share_surplus(self) -> None:
        """Let devices take surplus one after the other, the one it is worth most to first."""
        takers: list[tuple[float, str, str]] = []
        targets = self._targets
        for name in self._devices.vehicles:
            worth_price = targets.vehicles.get(name, _OWN_CAR).worth_price
            takers.append((-worth_price, "car", name))
        for name in self._devices.loads:
            worth_price = targets.loads.get(name, _OWN_LOAD).worth_price
            takers.append((-worth_price, "load", name))
        for name in self._devices.batteries:
            worth_price = targets.batteries.get(name, _OWN_BATTERY).worth_price
            takers.append((-worth_price, "battery", name))
        hidden_kw = find_hidden_kw(targets, self._measured, self._memory)
        left_kw = hidden_kw - self._flow.drawn_kw - SURPLUS_LEAD_S * self._steady_kw_s
        for _, kind, name in sorted(takers):
            if kind == "car":
                taken_kw = self._intend_car(name, left_kw)
            elif kind == "load":
                taken_kw = self._intend_load(name, left_kw)
            else:
                taken_kw = self._expect_charge(name)
            left_kw -= min(taken_kw, max(left_kw, 0.0))

    def _intend_car(self, name: str, left_kw: float) -> float:
        device = self._devices.vehicles[name]
        target = self._targets.vehicles.get(name, _OWN_CAR)
        power = self._measured.vehicles.get(name, _IDLE_CAR)
        unit = self._units.get(name, _NEW)
        bridge_kw = 0.0
        bridge_share = 1.0
        if unit.starts >= device.most_starts:
            # It would not start again today: a dip that a battery bridges weighs what that costs.
            bridge_kw, bridge_share = self._find_bridge(target)
        offer = Offer(
            left_kw,
            support_kw=self._find_support_kw() if target.battery_support else 0.0,
            bridge_kw=bridge_kw,
            bridge_share=bridge_share,
        )
        intent = intend_vehicle(device, target, power, unit, offer=offer, clock=self._clock(device))
        self._cars[name] = intent
        if target.follow == "own":
            return power.kw
        return expect_draw(intent, power, unit) if intent.phases else 0.0

    def _intend_load(self, name: str, left_kw: float) -> float:
        device = self._devices.loads[name]
        target = self._targets.loads.get(name, _OWN_LOAD)
        unit = self._units.get(name, _NEW)
        used_kw = self._measured.loads_kw.get(name, 0.0)
        intent = _intend_load(device, target, unit, Offer(left_kw), clock=self._clock(device))
        self._loads[name] = intent
        if target.follow == "own" or (unit.is_settled and intent.is_on and unit.phases):
            # A thermostat may have switched it off.
            return used_kw
        return device.power_kw if intent.is_on else 0.0

    def _expect_charge(self, name: str) -> float:
        """Return the surplus that a battery takes before those it is worth less to."""
        device = self._devices.batteries[name]
        target = self._targets.batteries.get(name, _OWN_BATTERY)
        power = self._measured.batteries.get(name, _UNKNOWN_BATTERY)
        mode, _ = bound_mode(device, target, power, self._units.get(name, _NEW))
        # NaN compares as false.
        is_full = power.soc >= min(target.ceiling_soc, device.max_soc)
        if mode not in STORING or is_full:
            return 0.0
        if self._flow.net_kw < -_LEAVES_KW:
            return max(power.charge_kw, 0.0)
        return device.charge_limit_kw

    def _find_support_kw(self) -> float:
        return sum(
            device.discharge_limit_kw
            for name, device in self._devices.batteries.items()
            if self._can_serve(name, device)
        )

    def _find_bridge(self, car: VehicleTarget) -> tuple[float, float]:
        """Return what batteries give a car in a dip, and its cost as a share of the grid's."""
        bridge_kw = 0.0
        bridge_share = 0.0
        for name, device in self._devices.batteries.items():
            share = self._price_bridge(name, car)
            if share < _CHEAPER_SHARE and self._can_serve(name, device):
                bridge_kw += device.discharge_limit_kw
                bridge_share = max(bridge_share, share)
        return bridge_kw, bridge_share

    def _can_serve(self, name: str, device: SteeredBattery) -> bool:
        target = self._targets.batteries.get(name, _OWN_BATTERY)
        power = self._measured.batteries.get(name, _UNKNOWN_BATTERY)
        floor_soc = max(target.floor_soc, device.min_soc) + _SUPPORT_SOC
        return target.mode in SERVING and power.soc > floor_soc

    def _price_bridge(self, battery: str, car: VehicleTarget) -> float:
        """Return the cost of a battery's kWh in a dip, as a share of one from the grid.

        From 1 on the battery leaves the dip to the grid.
        """
        device = self._devices.batteries[battery]
        worth_price = self._targets.batteries.get(battery, _OWN_BATTERY).worth_price
        if car.follow != "surplus" or not car.dip_price > 0.0:
            return 1.0
        given_price = worth_price / device.round_trip + device.cycle_price
        return max(given_price, 0.0) / car.dip_price

    def _clock(self, device: SteeredVehicle | SteeredLoad) -> SwitchClock:
        phase_changes = device.most_phase_changes if isinstance(device, SteeredVehicle) else 0
        rules = SwitchRules(
            least_on_s=device.least_on_s,
            least_off_s=device.least_off_s,
            most_starts=device.most_starts,
            most_phase_changes=phase_changes,
        )
        return SwitchClock(
            self._measured.at_s, self._elapsed_s, rules, sun_left_h=self._measured.sun_left_h
        )

    def _find_rooms(self, drawn_kw: float) -> dict[str, Room]:
        return find_rooms(
            self._limits, self._measured, self._flow, self._devices, drawn_kw=drawn_kw
        )

    def _claim(self, rooms: Mapping[str, Room]) -> list[Claim]:
        """Return what devices claim of the limits' room; a car goes to fewer phases to fit."""
        claims: list[Claim] = []
        if not rooms:
            return claims
        for name, intent in self._cars.items():
            device = self._devices.vehicles[name]
            target = self._targets.vehicles.get(name, _OWN_CAR)
            claim = claim_power(name, device, target, intent)
            if intent.phases and intent.unit.is_settled and not _fits(claim, rooms):
                fewer = self._fit_phases(device, intent)
                self._cars[name] = fewer
                claim = claim_power(name, device, target, fewer)
            claims.append(claim)
        for name, load_intent in self._loads.items():
            power_kw = self._devices.loads[name].power_kw
            wanted_kw = power_kw if load_intent.is_on else 0.0
            load_target = self._targets.loads.get(name, _OWN_LOAD)
            uses = {"connection": 1.0, "devices": 1.0, **self._spread_over((1, 2, 3))}
            claims.append(Claim(name, wanted_kw, wanted_kw, load_target.worth_price, uses))
        for name, battery in self._devices.batteries.items():
            battery_target = self._targets.batteries.get(name, _OWN_BATTERY)
            power = self._measured.batteries.get(name, _UNKNOWN_BATTERY)
            mode, _ = bound_mode(battery, battery_target, power, self._units.get(name, _NEW))
            wanted_kw = wanted_charge_kw(battery, battery_target, mode, self._flow.drawn_kw)
            uses = {"connection": 1.0, "devices": 1.0, **self._spread_over(battery.phases)}
            claims.append(Claim(name, 0.0, wanted_kw, battery_target.worth_price, uses))
        return claims

    def _spread_over(self, phases: tuple[int, ...]) -> dict[str, float]:
        amperes_per_kw = 1000.0 / (self._devices.voltage_v * len(phases))
        return {f"phase_{phase}": amperes_per_kw for phase in phases}

    def _fit_phases(self, device: SteeredVehicle, intent: VehicleIntent) -> VehicleIntent:
        """Return the intent on the fewest phases that the relay may go to."""
        clock = self._clock(device)
        possible = [count for count in device.phases if clock.allows_phases(count, intent.unit)]
        phases = min([*possible, intent.phases])
        wanted_kw = min(intent.wanted_kw, device.most_kw_on(phases))
        return replace(intent, phases=phases, wanted_kw=wanted_kw)

    def _wait_for_batteries(
        self,
        claims: Sequence[Claim],
        rooms: Mapping[str, Room],
        allotments: dict[str, Allotment],
    ) -> dict[str, Allotment]:
        """Return allotments with room for batteries that are lowered and follow later than cars.

        Nobody is switched off for that short time, but nobody starts in it either.
        """
        still_kw: dict[str, float] = {}
        for name in self._devices.batteries:
            charge_kw = self._measured.batteries.get(name, _UNKNOWN_BATTERY).charge_kw
            allotment = allotments.get(name, _FREE)
            if allotment.reason is not None and charge_kw > allotment.kw:
                still_kw[name] = charge_kw
        if not still_kw:
            return allotments
        narrow = dict(rooms)
        for limit in ("connection", "devices"):
            if limit in rooms:
                narrow[limit] = Room(
                    rooms[limit].amount - sum(still_kw.values()), rooms[limit].reason
                )
        others = [claim for claim in claims if claim.unit not in still_kw]
        waiting = share_room(others, narrow)
        for claim in others:
            full = allotments[claim.unit]
            is_on = self._units.get(claim.unit, _NEW).command_kw > 0.0
            least_kw = min(full.kw, claim.least_kw) if is_on else 0.0
            lowered = waiting[claim.unit]
            if claim.least_kw > 0.0 and lowered.kw < full.kw:
                allotments[claim.unit] = Allotment(max(lowered.kw, least_kw), lowered.reason)
        return allotments

    def _rise_slowly(
        self, allotments: Mapping[str, Allotment], steady: Mapping[str, Allotment]
    ) -> dict[str, Allotment]:
        """Return allotments that rise only as far as the last highest draw allows."""
        slow = {}
        for name, allotment in allotments.items():
            present_kw = max(self._units.get(name, _NEW).command_kw, 0.0)
            kw = min(allotment.kw, max(present_kw, steady[name].kw))
            reason = steady[name].reason if kw < allotment.kw else allotment.reason
            slow[name] = Allotment(kw, reason)
        return slow

    def _command_vehicles(self, allotments: Mapping[str, Allotment]) -> dict[str, VehicleCommand]:
        commands = {}
        for name, intent in self._cars.items():
            device = self._devices.vehicles[name]
            allotment = allotments.get(name, _FREE)
            power = self._measured.vehicles.get(name, _IDLE_CAR)
            command, unit = command_vehicle(
                device,
                intent,
                allotment,
                at_s=self._measured.at_s,
                writes_left=power.writes_left,
            )
            commands[name] = command
            self._units[name] = unit
        return commands

    def _command_loads(self, allotments: Mapping[str, Allotment]) -> dict[str, LoadCommand]:
        commands = {}
        for name, intent in self._loads.items():
            power_kw = self._devices.loads[name].power_kw
            allotment = allotments.get(name, _FREE)
            reason = intent.reason
            is_on = intent.is_on
            if is_on and allotment.kw < power_kw:
                is_on = False
                reason = allotment.reason or reason
            mode: LoadMode = "on" if is_on else "off"
            if reason == "own_control":
                mode = "own"
            command = LoadCommand(mode, reason)
            commands[name] = command
            command_kw = power_kw if is_on else 0.0
            self._units[name] = remember_switch(
                intent.unit, command.mode, int(is_on), command_kw, at_s=self._measured.at_s
            )
        return commands

    def _command_batteries(
        self,
        allotments: Mapping[str, Allotment],
        vehicles: Mapping[str, VehicleCommand],
        loads: Mapping[str, LoadCommand],
        export_kw: float,
    ) -> dict[str, BatteryCommand]:
        rest_kw = self._flow.net_kw - self._flow.charge_kw
        lowered_kw = self._find_lowered_kw(vehicles, loads)
        import_kw, reason = find_import_limit(self._limits)
        commands = {}
        for name, device in self._devices.batteries.items():
            allotment = allotments.get(name, _FREE)
            room = BatteryRoom(
                rest_kw=rest_kw,
                cars_kw=self._sum_unserved_kw(name),
                import_kw=import_kw,
                export_kw=export_kw,
                allotted_kw=allotment.kw,
                import_reason=allotment.reason or reason,
                lowered_kw=lowered_kw,
            )
            command, unit = command_battery(
                device,
                self._targets.batteries.get(name, _OWN_BATTERY),
                self._measured.batteries.get(name, _UNKNOWN_BATTERY),
                self._units.get(name, _NEW),
                room=room,
                time=CycleTime(self._measured.at_s, self._elapsed_s),
            )
            commands[name] = command
            self._units[name] = unit
            if command.mode in ("charge", "export"):
                # The next battery finds what this one leaves.
                rest_kw += unit.command_kw
            else:
                rest_kw += self._measured.batteries.get(name, _UNKNOWN_BATTERY).charge_kw
        return commands

    def _find_lowered_kw(
        self, vehicles: Mapping[str, VehicleCommand], loads: Mapping[str, LoadCommand]
    ) -> float:
        """Return what devices now draw less."""
        lowered_kw = 0.0
        for name, command in vehicles.items():
            if command.mode != "own":
                car_kw = self._measured.vehicles.get(name, _IDLE_CAR).kw
                lowered_kw += max(car_kw - command.power_kw, 0.0)
        for name, load_command in loads.items():
            if load_command.mode == "off":
                lowered_kw += max(self._measured.loads_kw.get(name, 0.0), 0.0)
        return lowered_kw

    def _sum_unserved_kw(self, battery: str) -> float:
        """Return what cars draw that a battery does not serve."""
        cars_kw = 0.0
        for name in self._devices.vehicles:
            target = self._targets.vehicles.get(name, _OWN_CAR)
            if target.follow == "own" or target.battery_support:
                continue
            if self._price_bridge(battery, target) >= _CHEAPER_SHARE:
                cars_kw += self._measured.vehicles.get(name, _IDLE_CAR).kw
        return cars_kw


_OWN_CAR = VehicleTarget()
_OWN_LOAD = LoadTarget()
_OWN_BATTERY = BatteryTarget()


def _fits(claim: Claim, rooms: Mapping[str, Room]) -> bool:
    for name, use in claim.uses.items():
        room = rooms.get(name)
        if room is not None and claim.least_kw * use > room.amount:
            return False
    return True


def _intend_load(
    device: SteeredLoad,
    target: LoadTarget,
    unit: UnitMemory,
    offer: Offer,
    *,
    clock: SwitchClock,
) -> _LoadIntent:
    if target.follow == "own":
        return _LoadIntent(is_on=False, reason="own_control", unit=unit)
    if target.follow != "surplus":
        is_on = target.follow == "on"
        if is_on and unit.phases == 0 and clock.at_s - unit.switched_s < device.least_off_s:
            return _LoadIntent(is_on=False, reason="rests", unit=unit)
        return _LoadIntent(is_on=is_on, reason="as_planned", unit=unit)
    choices = (OFF, SurplusChoice(1, device.power_kw, device.power_kw))
    followed = choose_phases(choices, unit, offer=offer, clock=clock)
    unit = replace(unit, gain_kwh=followed.gain_kwh)
    return _LoadIntent(followed.choice.phases > 0, followed.reason, unit)


def _settle_all(
    memory: LoopMemory, measured: LiveMeasurement, devices: SteeredDevices
) -> dict[str, UnitMemory]:
    """Return the memory of all units; those that have followed their command are settled."""
    units = dict(memory.units)
    at_s = measured.at_s
    for name, battery in devices.batteries.items():
        if name in units and not units[name].is_settled:
            power = measured.batteries.get(name, _UNKNOWN_BATTERY)
            units[name] = _settle(units[name], power.charge_kw, at_s, battery.delay_s)
    for name, vehicle in devices.vehicles.items():
        if name in units and not units[name].is_settled:
            car = measured.vehicles.get(name, _IDLE_CAR)
            units[name] = _settle(units[name], car.kw, at_s, vehicle.delay_s)
    for name in devices.loads:
        if name in units and not units[name].is_settled:
            units[name] = _settle(
                units[name], measured.loads_kw.get(name, 0.0), at_s, _LOAD_DELAY_S
            )
    _adopt_running(units, measured, devices, begins=math.isnan(memory.at_s))
    return units


def _adopt_running(
    units: dict[str, UnitMemory],
    measured: LiveMeasurement,
    devices: SteeredDevices,
    *,
    begins: bool,
) -> None:
    """Remember devices that ran before anything was remembered: they have not just started.

    ``begins``: this is the first cycle, and what is remembered comes from before it.
    """
    for name, device in devices.vehicles.items():
        car = measured.vehicles.get(name, _IDLE_CAR)
        unit = units.get(name, _NEW)
        if name in units and not begins:
            continue
        if car.kw > _RUNS_KW:
            phases = _find_phases(device, car, unit)
            units[name] = replace(
                unit, mode="charge", command_kw=car.kw, phases=phases, last_phases=phases
            )
        elif unit.phases:
            units[name] = replace(unit, mode="own", command_kw=0.0, phases=0)
    for name in devices.loads:
        used_kw = measured.loads_kw.get(name, 0.0)
        unit = units.get(name, _NEW)
        if name in units and not begins:
            continue
        if used_kw > _RUNS_KW:
            units[name] = replace(unit, mode="on", command_kw=used_kw, phases=1, last_phases=1)
        elif unit.phases:
            units[name] = replace(unit, mode="own", command_kw=0.0, phases=0)


def _find_phases(device: SteeredVehicle, car: VehiclePower, unit: UnitMemory) -> int:
    """Return the phases that a car runs on: measured, remembered, or the fewest that do."""
    phases = min(device.phases)
    for known in (unit.phases, car.phases):
        if known in device.phases:
            phases = known
    if car.kw > device.most_kw_on(phases) + _FOLLOWED_KW:
        phases = max(device.phases)
    return phases


def _settle(unit: UnitMemory, measured_kw: float, at_s: float, usual_s: float) -> UnitMemory:
    """Return the memory of a unit that has followed its command, or has had time enough."""
    since_s = at_s - unit.changed_s
    if abs(measured_kw - unit.command_kw) <= _FOLLOWED_KW + _FOLLOWED_SHARE * abs(unit.command_kw):
        # A new delay counts for a third.
        known_s = unit.delay_s
        delay_s = since_s if math.isnan(known_s) else known_s + (since_s - known_s) / 3
        return replace(unit, is_settled=True, delay_s=delay_s)
    expected_s = usual_s if math.isnan(unit.delay_s) else max(unit.delay_s, usual_s)
    if since_s >= 2.0 * expected_s:
        return replace(unit, is_settled=True)
    return unit
