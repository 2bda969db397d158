"""What the S-index costs on recorded days: a margin over midnight must not make plans worse than
plain self-consumption.
"""

from typing import Any

import pytest

from services.planner.replay import replay
from tests.support.planning.replay import make_scene

TARIFF = {
    "import": {"kind": "spot", "market": "NL", "markup": 0.13},
    "export": {"kind": "fixed", "price": 0.07},
}


@pytest.mark.parametrize(
    ("seed", "changes"), [(0, {}), (1, {"tariff": TARIFF})], ids=["spot", "feed-in"]
)
def test_with_the_safety_index_plans_stay_above_self_consumption(
    seed: int, changes: dict[str, Any]
) -> None:
    cautious: dict[str, Any] = {"strategy": {"s_index": {}}}
    policies = replay(
        make_scene(seed, **changes, **cautious), ["self_consumption", "mpc"], every=16
    ).policies
    assert policies["mpc"].cost <= policies["self_consumption"].cost
