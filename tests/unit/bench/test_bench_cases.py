"""The benches' own planning cases."""

from typing import Any

import numpy as np
import pytest

from bench.cases import SEED, generate_cases, load_cases, revise_forecast


@pytest.fixture
def documents() -> list[dict[str, Any]]:
    return generate_cases(np.random.default_rng(SEED))


def test_the_same_seed_gives_the_same_cases(documents: list[dict[str, Any]]) -> None:
    assert documents == generate_cases(np.random.default_rng(SEED))


def test_seven_cases_pay_for_importing_and_three_of_them_sell_above_buying(
    documents: list[dict[str, Any]],
) -> None:
    prices = [
        (np.array(each["outlook"]["import_price"]), np.array(each["outlook"]["export_price"]))
        for each in documents
    ]
    assert sum(bool((bought < 0).any()) for bought, _ in prices) == 7
    assert sum(bool((bought < sold).any()) for bought, sold in prices) == 3


def test_cases_without_outside_data_are_generated_and_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LUNA_BENCH_DATA", raising=False)
    cases = load_cases()
    assert cases.source == f"20 cases from seed {SEED}"
    assert len(cases.requests) == 20
    assert len(cases.negative) == 7


def test_a_revised_forecast_leaves_prices_and_length_alone(documents: list[dict[str, Any]]) -> None:
    revised = revise_forecast(documents[0], np.random.default_rng(1))
    before = documents[0]["outlook"]
    after = revised["outlook"]
    assert after["import_price"] == before["import_price"]
    assert len(after["load_kwh"]) == len(before["load_kwh"])
    assert after["load_kwh"] != before["load_kwh"]
    assert revised["state"] == documents[0]["state"]
