"""What a change of mode has to gain where each wears out a device's memory."""

import pytest

from services.executor.control_request import LEAST_GAIN, MOST_GAIN, price_change


def test_a_change_is_dearer_the_fewer_are_left() -> None:
    prices = [price_change(spent / 16, "EUR") for spent in range(17)]
    assert prices == sorted(prices)
    assert prices[0] < LEAST_GAIN
    assert prices[-1] == pytest.approx(MOST_GAIN)


def test_it_is_as_dear_in_kronor() -> None:
    assert price_change(0.5, "SEK") == pytest.approx(10 * price_change(0.5, "EUR"))
