"""However much devices ask for, together they stay within an operator's limit."""

import math

from hypothesis import given
from hypothesis import strategies as st

from luna.energy.device_shares import HousePower, PowerRequest, find_import_room, share_power
from luna.energy.operator_limits import LimitInForce
from tests.support.control.executor import START

POWERS = st.floats(0, 50)
ROOMS = st.floats(0, 100) | st.just(math.inf)
LITTLE_KW = 1e-9


@st.composite
def draw_ranges(draw: st.DrawFn) -> tuple[tuple[float, float], ...]:
    ends = sorted(draw(st.lists(POWERS, min_size=2, max_size=6, unique=True)))
    pairs = zip(ends[::2], ends[1::2], strict=False)
    return tuple(pairs)


@st.composite
def draw_requests(draw: st.DrawFn) -> list[PowerRequest]:
    count = draw(st.integers(0, 6))
    return [PowerRequest(f"{place}", draw(POWERS), draw(draw_ranges())) for place in range(count)]


@given(draw_requests(), ROOMS)
def test_shares_stay_within_the_room_and_the_powers_that_devices_have(
    requests: list[PowerRequest], room_kw: float
) -> None:
    shares = share_power(requests, room_kw)
    assert sum(shares.values()) <= room_kw + LITTLE_KW
    for request in requests:
        share_kw = shares[request.name]
        least_kw = request.ranges[0][0]
        assert share_kw == 0 or any(least <= share_kw <= most for least, most in request.ranges)
        assert share_kw <= max(request.power_kw, least_kw)
        assert request.power_kw > 0 or share_kw == 0


@given(draw_requests(), ROOMS)
def test_what_is_shared_once_is_shared_so_again(
    requests: list[PowerRequest], room_kw: float
) -> None:
    assert share_power(requests, room_kw) == share_power(list(requests), room_kw)


@given(draw_requests())
def test_without_a_limit_each_gets_the_power_it_has_nearest_to_its_request(
    requests: list[PowerRequest],
) -> None:
    shares = share_power(requests, math.inf)
    for request in requests:
        nearest_kw = max(request.fit(request.power_kw), request.ranges[0][0])
        assert shares[request.name] == (nearest_kw if request.power_kw > 0 else 0)


@given(draw_requests(), st.floats(0, 20), st.floats(0, 20), POWERS, POWERS, POWERS)
def test_devices_draw_no_more_from_the_grid_than_a_limit_allows(
    requests: list[PowerRequest],
    devices_kw: float,
    meter_kw: float,
    house_kw: float,
    pv_kw: float,
    discharge_kw: float,
) -> None:
    limit = LimitInForce(devices_kw, meter_kw, math.inf, START, ("api",))
    room_kw = find_import_room(limit, HousePower(house_kw, pv_kw, discharge_kw))
    drawn_kw = sum(share_power(requests, room_kw).values())
    need_kw = house_kw - pv_kw - discharge_kw
    imported_kw = max(drawn_kw + need_kw, 0)
    # Where the house alone needs more than the meter may, devices draw nothing.
    assert imported_kw <= max(meter_kw, need_kw) + LITTLE_KW
    assert imported_kw <= devices_kw + max(need_kw, 0) + LITTLE_KW
    assert not math.isnan(room_kw)
