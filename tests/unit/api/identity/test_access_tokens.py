"""How long a token stands, also where the clock is set."""

from datetime import UTC, datetime, timedelta

import pytest

from luna.contracts.identity import ACCESS_TOKEN_LIFE
from services.api.identity.access_tokens import AccessTokens

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TOKENS = AccessTokens("a key of the tests and of nobody else")


@pytest.mark.parametrize("later", [timedelta(0), ACCESS_TOKEN_LIFE / 2, -timedelta(seconds=30)])
def test_a_token_stands_for_its_life_and_between_two_clocks(later: timedelta) -> None:
    assert TOKENS.read(TOKENS.make(7, now=NOON), now=NOON + later) == 7


@pytest.mark.parametrize("moved", [DAY, -DAY, ACCESS_TOKEN_LIFE])
def test_a_token_does_not_outlive_a_clock_that_was_set(moved: timedelta) -> None:
    assert TOKENS.read(TOKENS.make(7, now=NOON), now=NOON + moved) is None
