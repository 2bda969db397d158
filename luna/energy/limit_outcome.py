"""The outcome of an operator's limit: highest import, and devices that drew less."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from luna.energy.operator_limits import OperatorLimit
from luna.energy.part import StrictModel
from luna.energy.timeline import FloatArray, Timeline

# Less than this is no limitation, but the rounding of set-points.
_LITTLE_KWH = 0.05
LimitedFlow = Literal["devices", "connection", "export"]


class LimitedDevice(StrictModel):
    """A device that drew less than was planned before a limit."""

    device: Annotated[str, Field(description="its name in the site")]
    planned_kw: Annotated[float, Field(description="the most that was planned before the limit")]
    allowed_kw: Annotated[float, Field(description="the most that it was allowed instead")]
    less_kwh: Annotated[float, Field(description="energy planned before and not drawn meanwhile")]


class LimitOutcome(StrictModel):
    """Figures and actions of the time in which a limit held."""

    highest_import_kw: Annotated[
        float | None,
        Field(description="mean of the highest quarter-hour within; null: none was measured"),
    ] = None
    highest_export_kw: Annotated[
        float | None, Field(description="as highest_import_kw, for feeding in")
    ] = None
    devices: Annotated[
        tuple[LimitedDevice, ...], Field(description="those that drew less than planned")
    ] = ()

    @property
    def less_kwh(self) -> float:
        """Energy that all devices were planned to draw and did not."""
        return sum(device.less_kwh for device in self.devices)


@dataclass(frozen=True, slots=True)
class DevicePower:
    """A device's power by slot, kW: planned before a limit, and allowed while it held.

    NaN where unknown.
    """

    planned_kw: FloatArray
    allowed_kw: FloatArray


@dataclass(frozen=True, slots=True)
class BindingLimit:
    """The strictest limit of one flow that holds at an instant."""

    flow: LimitedFlow
    most_kw: float
    limit: OperatorLimit


def summarize_limit(
    timeline: Timeline,
    span: tuple[datetime, datetime],
    *,
    import_kwh: FloatArray,
    export_kwh: FloatArray,
    devices: Mapping[str, DevicePower],
) -> LimitOutcome:
    """Return what was measured and done in a limit's span.

    A quarter-hour that lies partly outside the span does not count for the highest power: its
    energy may have been drawn before or after the limit.

    Args:
        timeline: quarter-hours that cover the span.
        span: from when until when the limit held.
        import_kwh: measured at the meter, NaN where unknown, shape ``(slots,)``.
        export_kwh: as ``import_kwh``, for feeding in.
        devices: by name.
    """
    hours = timeline.overlap_hours(*span)
    is_within = timeline.within(*span)
    limited = []
    for name, power in devices.items():
        device = _compare(name, power, hours)
        if device is not None:
            limited.append(device)
    return LimitOutcome(
        highest_import_kw=_find_highest(import_kwh, timeline, is_within),
        highest_export_kw=_find_highest(export_kwh, timeline, is_within),
        devices=tuple(limited),
    )


def list_binding(limits: Iterable[OperatorLimit], at: datetime) -> list[BindingLimit]:
    """Return the strictest limit of each flow at an instant; unlimited flows are left out."""
    strictest: dict[LimitedFlow, BindingLimit] = {}
    for limit in sorted(limits, key=_by_start):
        if not limit.holds_at(at):
            continue
        for found in list_flows(limit):
            known = strictest.get(found.flow)
            if known is None or found.most_kw < known.most_kw:
                strictest[found.flow] = found
    return list(strictest.values())


def list_flows(limit: OperatorLimit) -> list[BindingLimit]:
    """Return what one limit bounds, flow by flow."""
    flows = []
    if limit.import_kw is not None:
        flows.append(BindingLimit(limit.scope, limit.import_kw, limit))
    if limit.export_kw is not None:
        flows.append(BindingLimit("export", limit.export_kw, limit))
    return flows


def _by_start(limit: OperatorLimit) -> tuple[datetime, str]:
    return limit.start, limit.limit_id


def _compare(name: str, power: DevicePower, hours: FloatArray) -> LimitedDevice | None:
    """Return how much less a device was allowed than planned, None where it is next to nothing."""
    less_kw = power.planned_kw - power.allowed_kw
    is_less = (np.nan_to_num(less_kw) > 0) & (hours > 0)
    less_kwh = float((less_kw * hours)[is_less].sum())
    if less_kwh < _LITTLE_KWH:
        return None
    return LimitedDevice(
        device=name,
        planned_kw=round(float(power.planned_kw[is_less].max()), 3),
        allowed_kw=round(float(power.allowed_kw[is_less].max()), 3),
        less_kwh=round(less_kwh, 3),
    )


def _find_highest(
    energy_kwh: FloatArray, timeline: Timeline, is_within: NDArray[np.bool_]
) -> float | None:
    power_kw = (energy_kwh / timeline.hours)[is_within]
    known_kw = power_kw[np.isfinite(power_kw)]
    return round(float(known_kw.max()), 3) if known_kw.size else None
