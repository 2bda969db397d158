"""Times with the name of a month, as portals of several countries write them."""

import polars as pl
import pytest

from services.ingest.file_guess.cells import write_iso


@pytest.mark.parametrize(
    ("written", "month"),
    [
        ("14. März 2024 13:45", 3),
        ("14.Mrz.24 13:45", 3),
        ("14-MAR-2024 1:45 PM", 3),
        ("14-fév-2024 13:45", 2),
        ("jeu. 14 mars 2024 13:45", 3),
        ("14 juin 2024 13:45", 6),
        ("14 juil. 2024 13:45", 7),
        ("14 août 2024 13:45", 8),
        ("14 déc. 2024 13:45", 12),
        ("lør. 14 mai 2024 13:45", 5),
        ("14 mei 2024 13:45", 5),
        ("14 okt. 2024 13:45", 10),
        ("mié, 14/05/2024 13:45", 5),
        ("Do., 14.05.2024 13:45", 5),
    ],
)
def test_months_and_weekdays_are_read_in_their_language(written: str, month: int) -> None:
    assert write_iso(pl.Series([written]), "day_first").item() == f"2024-{month:02d}-14T13:45:00"


def test_a_word_that_is_no_month_stays_as_it_is() -> None:
    assert write_iso(pl.Series(["14 xyz 2024 13:45"]), "day_first").item() == "14 xyz 2024 13:45"
