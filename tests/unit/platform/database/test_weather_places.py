"""Under which name the weather of a site is stored that has been in several places."""

from luna.platform.database.weather_places import Place, name_place
from tests.support.suite.tables import each_row

BERLIN = (52.52, 13.4)
NEARBY = (52.59, 13.32)
VIENNA = (48.2, 16.37)
FIJI = (-17.7, 179.97)
BEYOND = (-17.72, -179.98)


@each_row(
    ("been", "expected"),
    [
        ([], "home"),
        ([BERLIN], "home"),
        # A digit that is corrected is no move, a move is, and who comes back finds what there was.
        ([BERLIN, NEARBY], "home"),
        ([BERLIN, VIENNA], "home@48.2,16.37"),
        ([BERLIN, VIENNA, BERLIN], "home"),
        ([BERLIN, VIENNA, BERLIN, VIENNA], "home@48.2,16.37"),
        # Both sides of the date line are beside each other.
        ([FIJI, BEYOND], "home"),
    ],
)
def test_weather_belongs_to_a_place_and_the_first_one_keeps_the_site_s_name(
    been: list[Place], expected: str
) -> None:
    assert name_place("home", been) == expected
