"""What became of an operator's limit: highest powers, devices that drew less, what binds."""

from datetime import UTC, datetime, timedelta

import numpy as np

from luna.energy.limit_outcome import (
    DevicePower,
    LimitedDevice,
    LimitOutcome,
    list_binding,
    summarize_limit,
)
from luna.energy.operator_limits import LimitScope, OperatorLimit
from luna.energy.timeline import SLOT, Timeline

NAN = float("nan")
# Asked at five past six in the evening, over at seven.
FIVE_PAST = datetime(2026, 11, 30, 18, 5, tzinfo=UTC)
SEVEN = datetime(2026, 11, 30, 19, tzinfo=UTC)
EVENING = Timeline(datetime(2026, 11, 30, 18, tzinfo=UTC), SLOT, 4)
UNKNOWN = np.full(4, NAN)


def summarize(
    *, import_kwh: np.ndarray = UNKNOWN, devices: dict[str, DevicePower] | None = None
) -> LimitOutcome:
    return summarize_limit(
        EVENING,
        (FIVE_PAST, SEVEN),
        import_kwh=import_kwh,
        export_kwh=UNKNOWN,
        devices=devices or {},
    )


def limit(
    name: str,
    import_kw: float | None,
    *,
    export_kw: float | None = None,
    scope: LimitScope = "devices",
    hours: float = 1,
) -> OperatorLimit:
    end = FIVE_PAST + timedelta(hours=hours)
    return OperatorLimit(name, FIVE_PAST, end, import_kw, export_kw, scope, "contact")


def test_a_quarter_hour_that_began_before_the_limit_is_not_its_highest() -> None:
    # 11 kW until 18:05 and 4 kW after it are 1.5 kWh; then 4.2 kW and, once, 4.0 kW.
    outcome = summarize(import_kwh=np.array([1.5, 1.05, NAN, 1.0]))
    assert outcome.highest_import_kw == 4.2
    assert outcome.highest_export_kw is None


def test_nothing_measured_is_no_highest_power() -> None:
    assert summarize() == LimitOutcome()


def test_a_device_s_energy_counts_from_the_limit_s_first_minute_on() -> None:
    car = DevicePower(np.array([11.0, 11, 11, 0]), np.array([4.2, 4.2, 4.2, 4.2]))
    outcome = summarize(devices={"car": car})
    # 6.8 kW less in the 40 minutes from 18:05 to 18:45.
    less_kwh = round(6.8 * 40 / 60, 3)
    expected = LimitedDevice(device="car", planned_kw=11, allowed_kw=4.2, less_kwh=less_kwh)
    assert outcome.devices == (expected,)
    assert outcome.less_kwh == less_kwh


def test_a_device_that_may_draw_what_was_planned_or_of_which_nothing_is_known_is_left_out() -> None:
    as_planned = DevicePower(np.full(4, 3.0), np.full(4, 3.0))
    more = DevicePower(np.full(4, 1.0), np.full(4, 3.0))
    unknown = DevicePower(np.full(4, 3.0), UNKNOWN)
    rounded = DevicePower(np.full(4, 3.0), np.full(4, 2.99))
    devices = {"a": as_planned, "b": more, "c": unknown, "d": rounded}
    assert summarize(devices=devices).devices == ()


def test_the_strictest_limit_of_each_flow_binds_while_it_holds() -> None:
    loose = limit("loose", 8.4, hours=5)
    strict = limit("strict", 4.2)
    meter = limit("meter", 10, export_kw=0, scope="connection")
    limits = (loose, strict, meter)
    found = [
        (binding.flow, binding.most_kw, binding.limit.limit_id)
        for binding in list_binding(limits, FIVE_PAST)
    ]
    assert sorted(found) == [
        ("connection", 10, "meter"),
        ("devices", 4.2, "strict"),
        ("export", 0, "meter"),
    ]
    later = list_binding(limits, FIVE_PAST + timedelta(hours=1))
    assert [binding.limit for binding in later] == [loose]
    assert list_binding(limits, FIVE_PAST - timedelta(seconds=1)) == []
