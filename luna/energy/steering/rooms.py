"""Find what connection, operator, fuses and circuits leave for controlled devices."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from luna.energy.steering.devices import SteeredDevices
from luna.energy.steering.sharing import Room
from luna.energy.steering.state import (
    LiveLimits,
    LiveMeasurement,
    LoopMemory,
    SteeringReason,
)

PHASES = (1, 2, 3)
# Meters and chargers round: a limit is approached to this share.
KEPT_SHARE = 0.99
# This share of a limit is clearly above it; a limit of nothing allows a meter's rounding.
EXCESS_SHARE = 1.03
_NEGLIGIBLE_KW = 0.1
# Devices follow this much later than meters show it; a steady rise is counted with that.
LEAD_S = 6.0
# A cloud's edge over a home, or this share of its PV a second: an edge of five seconds takes half.
# What is faster is a step, which goes on no further.
_MOST_RISE_KW_S = 0.3
_MOST_RISE_SHARE_S = 0.1
_MOVES_KW = 0.3
_FADES = 0.8
# How fast the highest draw of the house is forgotten, per second.
_FORGET_PER_S = 1.0 / 300.0


@dataclass(frozen=True, slots=True)
class Flow:
    """The site's balance now, kW.

    ``drawn_kw`` is what is not controlled less PV, ``net_kw`` what the meter counts (import is
    positive), ``charge_kw`` of all batteries, ``vehicles_kw`` and ``loads_kw`` of all others.
    """

    net_kw: float
    drawn_kw: float
    charge_kw: float
    vehicles_kw: float
    loads_kw: float
    discharge_kw: float

    @property
    def controlled_kw(self) -> float:
        """Draw of the controlled devices together."""
        return self.net_kw - self.drawn_kw


def read_flow(measured: LiveMeasurement) -> Flow:
    """Return the balance of a measurement."""
    charge_kw = 0.0
    discharge_kw = 0.0
    for battery in measured.batteries.values():
        charge_kw += battery.charge_kw
        discharge_kw += max(-battery.charge_kw, 0.0)
    vehicles_kw = 0.0
    for vehicle in measured.vehicles.values():
        vehicles_kw += vehicle.kw
    loads_kw = sum(measured.loads_kw.values())
    net_kw = measured.import_kw - measured.export_kw
    drawn_kw = net_kw - charge_kw - vehicles_kw - loads_kw
    return Flow(net_kw, drawn_kw, charge_kw, vehicles_kw, loads_kw, discharge_kw)


def find_import_limit(limits: LiveLimits) -> tuple[float, SteeringReason]:
    """Return the most import that the connection allows, and the limit's source."""
    connection_kw = _known(limits.import_kw)
    operator_kw = _known(limits.operator_import_kw)
    if operator_kw <= connection_kw:
        return operator_kw, "operator_limit" if operator_kw < math.inf else "connection_limit"
    return connection_kw, "connection_limit"


def find_export_limit(limits: LiveLimits, *, pv_export: bool) -> float:
    """Return what the connection may export."""
    limit_kw = min(_known(limits.export_kw), _known(limits.operator_export_kw))
    return limit_kw if pv_export else 0.0


def exceeds_limit(limits: LiveLimits, measured: LiveMeasurement) -> bool:
    """Return whether the meters show clearly more than a limit allows.

    A circuit has no meter of its own. What is no number compares as false.
    """
    flow = read_flow(measured)
    import_kw, _ = find_import_limit(limits)
    # Own production may be used on top of the limit for devices.
    devices_kw = _known(limits.devices_import_kw) + max(flow.drawn_kw, 0.0)
    allowed_kw = min(import_kw, devices_kw)
    is_above = flow.net_kw > EXCESS_SHARE * allowed_kw + _NEGLIGIBLE_KW
    export_kw = find_export_limit(limits, pv_export=True)
    is_above |= -flow.net_kw > EXCESS_SHARE * export_kw + _NEGLIGIBLE_KW
    most_a = EXCESS_SHARE * _known(limits.fuse_a)
    return is_above or any(abs(current_a) > most_a for current_a in measured.phase_a)


def _known(limit: float) -> float:
    """Return a limit that is no number as none, and a negative one as zero."""
    return math.inf if math.isnan(limit) else max(limit, 0.0)


def track_high(drawn_kw: float, high_kw: float, elapsed_s: float) -> float:
    """Return the highest draw of the last minutes, forgotten bit by bit."""
    if not high_kw > drawn_kw:
        return drawn_kw
    return high_kw + (drawn_kw - high_kw) * min(elapsed_s * _FORGET_PER_S, 1.0)


def find_rise(flow: Flow, memory: LoopMemory, elapsed_s: float, *, pv_kw: float) -> float:
    """Return how fast the draw of what is not controlled rises, kW a second; unknown: 0.

    While devices move, meters that are read at different instants show a rise that is none: then
    what was known fades. ``pv_kw`` is what the home's PV reaches.
    """
    if elapsed_s <= 0.0 or math.isnan(memory.drawn_kw):
        return 0.0
    if abs(flow.controlled_kw - memory.controlled_kw) > _MOVES_KW:
        # A step may have been the last that was seen.
        return _FADES * min(max(memory.rise_kw_s, -_MOST_RISE_KW_S), _MOST_RISE_KW_S)
    rise_kw_s = (flow.drawn_kw - memory.drawn_kw) / elapsed_s
    most_kw_s = max(_MOST_RISE_KW_S, _MOST_RISE_SHARE_S * pv_kw)
    return min(max(rise_kw_s, -most_kw_s), most_kw_s)


def find_steady_rise(rise_kw_s: float, before_kw_s: float) -> float:
    """Return the rise that two cycles share: a cloud's edge has one, a kettle's step has none."""
    if rise_kw_s * before_kw_s <= 0.0:
        return 0.0
    return min(rise_kw_s, before_kw_s) if rise_kw_s > 0.0 else max(rise_kw_s, before_kw_s)


def find_rooms(
    limits: LiveLimits,
    measured: LiveMeasurement,
    flow: Flow,
    devices: SteeredDevices,
    *,
    drawn_kw: float,
) -> dict[str, Room]:
    """Return what each limit leaves for controlled devices together.

    ``drawn_kw`` is what is not controlled less PV: now, or at its highest lately.
    """
    rooms: dict[str, Room] = {}
    import_kw, reason = find_import_limit(limits)
    if import_kw < math.inf:
        amount = KEPT_SHARE * import_kw - drawn_kw + flow.discharge_kw
        rooms["connection"] = Room(amount, reason)
    devices_kw = _known(limits.devices_import_kw)
    if devices_kw < math.inf:
        # import <= limit + max(house - PV, 0), and import = house - PV + devices - discharge
        own_kw = max(-drawn_kw, 0.0) + flow.discharge_kw
        rooms["devices"] = Room(KEPT_SHARE * devices_kw + own_kw, "operator_limit")
    fuse_a = _known(limits.fuse_a)
    if fuse_a < math.inf:
        base_a = _find_base_currents(measured, flow, devices)
        rise_a = (drawn_kw - flow.drawn_kw) * 1000 / (len(PHASES) * devices.voltage_v)
        for phase in PHASES:
            rooms[f"phase_{phase}"] = Room(
                KEPT_SHARE * fuse_a - base_a[phase] - rise_a, "fuse_limit"
            )
    for circuit, circuit_a in limits.circuits_a.items():
        rooms[f"circuit_{circuit}"] = Room(_known(circuit_a), "fuse_limit")
    return rooms


def _find_base_currents(
    measured: LiveMeasurement, flow: Flow, devices: SteeredDevices
) -> Mapping[int, float]:
    """Return the currents of what is not controlled, by phase.

    Without meters of phases it is spread over all. Batteries stay: only what charges by command
    claims room, and that is added there.
    """
    per_kw = 1000.0 / devices.voltage_v
    if len(measured.phase_a) != len(PHASES) or any(map(math.isnan, measured.phase_a)):
        spread_a = (flow.drawn_kw - flow.discharge_kw) * per_kw / len(PHASES)
        return dict.fromkeys(PHASES, spread_a)
    base_a = dict(zip(PHASES, measured.phase_a, strict=True))
    for name, vehicle in measured.vehicles.items():
        device = devices.vehicles.get(name)
        if device is None or vehicle.kw <= 0.0:
            continue
        used = device.on_phases[: vehicle.phases or max(device.phases)]
        for phase in used:
            base_a[phase] -= vehicle.kw * per_kw / len(used)
    for kw in measured.loads_kw.values():
        for phase in PHASES:
            base_a[phase] -= kw * per_kw / len(PHASES)
    for name, battery in measured.batteries.items():
        steered = devices.batteries.get(name)
        if steered is None or battery.charge_kw <= 0.0:
            continue
        for phase in steered.phases:
            base_a[phase] -= battery.charge_kw * per_kw / len(steered.phases)
    return base_a
