"""What is compiled does what was recorded, and says where it does not hold."""

from typing import Any

import numpy as np

from services.agent.environment.array_compiler import Columns, fuse

SITES = 200
PRICE = np.array([0.1, -0.2, 0.3])


def draw() -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], dict[str, Any]]:
    rng = np.random.default_rng(0)
    stored = rng.choice([np.nan, np.inf, -np.inf, 0.0, *rng.normal(size=20)], (1, SITES))
    return rng.integers(0, 3, SITES), {
        "stored": stored,
        "open": rng.random(SITES) < 0.5,
        "mode": rng.integers(-1, 5, SITES),
    }


def settle(columns: Columns) -> tuple[Any, ...]:
    """Use every kind of operation: bounds, choices, look-ups, conditions, what is the same for
    all.
    """
    stored, mode = columns["stored"], columns["mode"]
    known = np.where((mode >= 0) & (mode < 3), mode, 3)
    room = np.maximum(np.clip(stored, -0.5, 0.7) - 0.1, 0.0) / 0.95
    worth = np.choose(known, np.array([1.0, np.inf, 2.0, -np.inf])) * columns["price"]
    least = np.minimum(np.abs(stored), worth)
    shut = ~columns["open"] | np.isnan(stored) | ~np.isfinite(worth)
    return (
        (np.where(shut, room, least) + np.zeros_like(stored)).sum(axis=0),
        shut.any(axis=0),
        -stored,
    )


def test_a_compiled_function_gives_the_same_numbers_bit_by_bit() -> None:
    slots, columns = draw()
    fused = fuse(settle, slots, columns, {"price": PRICE})
    assert fused is not None
    results = (np.empty(SITES), np.empty(SITES, dtype=bool), np.empty(SITES))
    assert fused.run(slots, columns, results) is None
    for found, told in zip(results, settle(columns | {"price": PRICE[slots]}), strict=True):
        np.testing.assert_array_equal(found, np.ravel(told))


def detour(columns: Columns) -> tuple[Any, ...]:
    stored = columns["stored"]
    low = stored < 1.0
    return ((stored + 10.0 if low.any() else stored * 2.0).sum(axis=0),)


def test_sites_that_take_another_way_are_told() -> None:
    slots, stored = np.zeros(4, dtype=np.int64), np.array([[0.5, 2.0, 3.0, 0.1]])
    fused = fuse(detour, slots, {"stored": stored}, {"price": PRICE})
    assert fused is not None
    results = (np.empty(4),)
    others = fused.run(slots, {"stored": stored}, results)
    assert others is not None
    assert others.tolist() == [True, False, False, True]
    assert results[0][1:3].tolist() == [4.0, 6.0]


def test_what_batteries_share_is_not_compiled() -> None:
    assert (
        fuse(detour, np.zeros(4, dtype=np.int64), {"stored": np.ones((2, 4))}, {"price": PRICE})
        is None
    )
