"""Clean shares: as measured, with every damaged value named.

As the generator draws them; what is known when.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from services.edge.clean_share import (
    DAY_SLOTS,
    FILES,
    SEASON_OF_MONTH,
    WEEK_SLOTS,
    YEAR_SLOTS,
    CleanShare,
    draw_clean_share,
    held_out_weeks,
    instants_of,
    is_held_out,
    load_clean_shares,
    months_of,
    read_clean_share,
)

HEADER = "Datetime (UTC),Country,Carbon-free energy percentage (CFE%)"


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """A year as it is published."""
    share = draw_clean_share("CA").share
    return [
        HEADER,
        *(
            f"{str(at).replace('T', ' ')}:00,USA,{100 * value:.2f}"
            for at, value in zip(instants_of(np.arange(YEAR_SLOTS)), share, strict=True)
        ),
    ]


@pytest.fixture
def write(tmp_path: Path, lines: list[str]) -> Callable[[dict[int, str | None]], Path]:
    """Writes the year with lines changed, by their number; None: the line is missing."""

    def write(changes: dict[int, str | None]) -> Path:
        path = tmp_path / FILES["CA"]
        kept = [changes.get(number, line) for number, line in enumerate(lines, start=1)]
        path.write_text(
            "\n".join(line for line in kept if line is not None) + "\n", encoding="utf-8"
        )
        return path

    return write


def test_a_published_year_is_read_and_its_folder_stays_as_it_was(
    write: Callable[[dict[int, str | None]], Path],
) -> None:
    path = write({})
    before = path.read_bytes(), sorted(path.parent.iterdir())
    year = load_clean_shares(path.parent, ["CA", "FL"])
    assert (year["CA"].measured, year["FL"].measured) == (True, False)
    np.testing.assert_allclose(year["CA"].share, draw_clean_share("CA").share, atol=5e-5)
    assert (path.read_bytes(), sorted(path.parent.iterdir())) == before


def test_damaged_rows_are_named_and_the_newest_value_before_stands_in_their_place(
    write: Callable[[dict[int, str | None]], Path],
) -> None:
    year = read_clean_share(
        write(
            {
                10: "2024-01-01 00:40:00,USA,n/a",
                20: "yesterday,USA,50",
                30: "2024-01-01 02:20:00,USA,140",
                40: "2024-01-01 00:00:00,USA,9",
                50: None,
                60: "x",
            }
        ),
        "CA",
    )
    assert [(damage.row, damage.column) for damage in year.damage] == [
        (10, "Carbon-free energy percentage (CFE%)"),
        (20, "Datetime (UTC)"),
        (30, "Carbon-free energy percentage (CFE%)"),
        (40, "Datetime (UTC)"),
        (59, "Datetime (UTC)"),
    ]
    assert (
        str(year.damage[0])
        == f"{FILES['CA']}, row 10, Carbon-free energy percentage (CFE%): 'n/a' is no number"
    )
    for line in (10, 20, 30, 40, 50, 60):
        assert year.share[line - 2] == year.share[line - 3]
    assert not np.isnan(year.share).any()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({1: "Datetime (UTC),CFE"}, "Carbon-free energy percentage"),
        (dict.fromkeys(range(100, 2000), "2024-01-01 00:00:00,USA,\0"), "missing or damaged"),
        (dict.fromkeys(range(1000, 60_000)), "missing or damaged"),
    ],
)
def test_a_file_of_which_too_much_is_missing_is_refused(
    write: Callable[[dict[int, str | None]], Path], change: dict[int, str | None], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said) as raised:
        read_clean_share(write(change), "CA")
    assert FILES["CA"] in str(raised.value)


def test_stand_ins_are_shares_with_a_day_and_a_year_and_always_the_same() -> None:
    for location in FILES:
        first = draw_clean_share(location)
        again = draw_clean_share(location)
        assert np.array_equal(first.share, again.share)
        assert not first.measured
        assert first.share.min() >= 0
        assert first.share.max() <= 1
    days = draw_clean_share("CA").share.reshape(-1, DAY_SLOTS)
    # California's sun stands highest at 20:00 UTC.
    assert days[:, 240].mean() > days[:, 120].mean() + 0.1


def test_what_is_expected_knows_nothing_of_the_future() -> None:
    year = draw_clean_share("NW")
    slot = 20_000
    other = CleanShare(
        "NW",
        np.concatenate([year.share[: slot + 1], np.full(YEAR_SLOTS - slot - 1, 0.5)]),
        measured=False,
    )
    at = np.array([slot])
    assert np.array_equal(
        year.expect(at, 48, step_minutes=30), other.expect(at, 48, step_minutes=30)
    )
    assert not np.array_equal(
        year.ahead(at, 48, step_minutes=30), other.ahead(at, 48, step_minutes=30)
    )


def test_what_is_expected_is_nearer_than_that_nothing_changes() -> None:
    year = draw_clean_share("CA")
    slots = np.arange(3000, 100_000, 97)
    followed = year.ahead(slots, 48, step_minutes=30)
    expected = year.expect(slots, 48, step_minutes=30)
    assert (
        np.abs(expected - followed).mean()
        < 0.5 * np.abs(year.newest(slots)[:, None] - followed).mean()
    )


def test_ahead_are_means_of_what_followed() -> None:
    year = draw_clean_share("NY")
    slots = np.array([0, 777])
    ahead = year.ahead(slots, 3, step_minutes=15)
    np.testing.assert_allclose(ahead[1], year.share[777:786].reshape(3, 3).mean(axis=1), atol=1e-12)
    assert ahead.shape == (2, 3)


def test_held_out_weeks_lie_in_their_season_and_nowhere_else() -> None:
    for season, months in SEASON_OF_MONTH.items():
        weeks = held_out_weeks(season)
        assert weeks
        for begin in weeks:
            slots = np.arange(begin, begin + WEEK_SLOTS)
            assert is_held_out(slots).all()
            assert set(months_of(slots)) <= set(months)
    assert 0.2 < is_held_out(np.arange(YEAR_SLOTS)).mean() < 0.3
