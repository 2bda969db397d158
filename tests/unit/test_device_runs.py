"""What a device costs: each kWh by where it comes from."""

import numpy as np
import pytest

from luna.device_runs import SlotSources, find_run

# Bought alone; bought, from the battery and from the roof; from the roof alone; from a roof that is held back; nothing used.
SOURCES = SlotSources(
    import_kwh=np.array([3.0, 1.0, 0.0, 0.0, 0.2]),
    discharge_kwh=np.array([0.0, 0.5, 0.0, 0.0, 0.0]),
    curtailed_kwh=np.array([0.0, 0.0, 0.0, 0.4, 0.0]),
    import_price=np.array([0.30, 0.20, 0.20, 0.20, 0.20]),
    export_price=np.full(5, 0.08),
    energy_value=np.array([0.25, 0.25, np.nan, 0.25, 0.25]),
)
USED = np.array([2.0, 2.0, 1.0, 1.0, 0.0])


def test_a_run_costs_what_its_energy_would_have_been_worth_elsewhere() -> None:
    run = find_run(USED, SOURCES, 0, 5)
    assert run is not None
    # 2 × 0.30; 1 × 0.20 + 0.5 × 0.25 + 0.5 × 0.08; 1 × 0.08; nothing.
    assert (run.first, run.end, run.energy_kwh) == (0, 4, 6.0)
    assert run.cost == pytest.approx(0.60 + 0.365 + 0.08)
    assert run.price == pytest.approx(1.045 / 6)


def test_an_unbroken_run_ends_at_its_first_pause_and_nothing_used_is_none() -> None:
    paused = np.array([0.0, 1.0, 0.0, 1.0, np.nan])
    first = find_run(paused, SOURCES, 0, 5, unbroken=True)
    assert first is not None
    assert (first.first, first.end) == (1, 2)
    whole = find_run(paused, SOURCES, 0, 5)
    assert whole is not None
    assert (whole.first, whole.end) == (1, 4)
    assert find_run(paused, SOURCES, 2, 3) is None
