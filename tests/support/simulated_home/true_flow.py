"""What an open page says of the flows of a moment, beside what is true in the simulated home."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from luna.simulated_home.house import BATTERY_MODEL, HomeState
from tests.support.simulated_home.luna_instance import LivingLuna, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

# What meters may be wrong by, what a page rounds, and what flows within seconds of a slot's edge,
# in which its first or last reading was taken.
METER = 0.01
SOC = 0.01
SHOWN_KW = 0.05
SHOWN_SOC = 0.005
EDGE_KW = 0.15


def wait_for_true_flow(luna: LivingLuna, page: "Page") -> None:
    """Wait until the open page, by itself, says what flows at this moment."""
    untrue: list[str] = []

    def is_true() -> bool:
        untrue[:] = compare_flow(read_flow(page), luna.files.read_state())
        return not untrue

    try:
        wait_until(is_true)
    except AssertionError as exc:
        raise AssertionError(untrue) from exc


def read_flow(page: "Page") -> str:
    """Return what the open page says of the live flows, "" while it has none."""
    live = page.locator(".flow:has(.row small[data-age]) svg")
    return (live.get_attribute("aria-label") or "") if live.count() else ""


def compare_flow(said: str, state: HomeState) -> Iterator[str]:
    """Yield what a page says of the flows of a moment that is not true."""
    text = said.replace("\u00a0", " ")
    heater_kw = 0.0 if state.heater is None else state.heater.power_kw
    car_kw = 0.0 if state.car is None else state.car.power_kw
    grid_kw = state.load_kw + car_kw + heater_kw + state.battery.power_kw - state.pv_kw
    powers = {
        "Solar": state.pv_kw,
        "House": state.load_kw,
        "Battery": abs(state.battery.power_kw),
        "Car": car_kw,
        "From the grid": max(grid_kw, 0.0),
        "To the grid": max(-grid_kw, 0.0),
    }
    for name, true in powers.items():
        shown = re.search(rf"{name} ([\d.]+) kW", text)
        if not np.isclose(
            float(shown[1]) if shown else 0.0, true, rtol=METER, atol=SHOWN_KW + EDGE_KW
        ):
            yield f"{name} {true:.2f} kW: {text}"
    share = re.search(r"Battery .*?(\d+)%", text)
    if share is None or abs(int(share[1]) / 100 - soc_of(state)) > SOC + SHOWN_SOC:
        yield f"{soc_of(state):.3f} full: {text}"


def soc_of(state: HomeState) -> float:
    return state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh
