"""What trained policies gain on several homes together."""

import numpy as np
import pytest

from bench.agent_decisions import pool_gains


def test_homes_are_pooled_by_the_mean_of_their_points_and_both_count_in_the_interval() -> None:
    rng = np.random.default_rng(1)
    # Points by day: one home gains five over fifty days, the other loses one.
    gains = [{"antares": rng.normal(mean / 50, 0.02, 50)} for mean in (5.0, -1.0)]
    found = pool_gains(gains)["antares"]
    assert found["points"] == pytest.approx(sum(each["antares"].sum() for each in gains) / 2)
    assert found["low"] < found["points"] < found["high"]
    assert 0 < found["p_value"] < 0.05
