"""Two faults at once, at random, in every week of a year: nothing wrong is trusted, nothing right is refused."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from tests.support.metering.expected_readings import Happening, find_contradictions, hear, take_in
from tests.support.metering.faults import FAULTS
from tests.support.metering.house import live

FIRST, DAYS, WEEK = date(2023, 9, 4), 364, 7


@pytest.mark.parametrize("seed", [11, 12, 23, 46])
def test_in_a_year_of_pairs_of_faults_nothing_wrong_is_trusted_and_nothing_right_refused(seed: int, connection: Connection, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    house = live(FIRST, DAYS, seed=seed)
    happenings = [
        Happening(fault, fault.place(FIRST + timedelta(days=week + int(rng.integers(0, 2))), rng))
        for week in range(2, DAYS - WEEK, WEEK)
        for fault in rng.choice(np.array(FAULTS, dtype=object), 2, replace=False)
    ]
    take_in(connection, house, hear(house, happenings), tmp_path)
    found = find_contradictions(connection, house, happenings)
    assert not found, "\n".join([f"seed {seed}:", *found])
