"""Sensors that are silent while others of their role speak."""

from datetime import UTC, datetime, timedelta

from luna.energy.site import parse_site
from luna.house.silent_sensors import find_silent
from tests.support.suite.tables import each_row

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
# First and last word, in days before now.
ROOF = (400.0, 0.01)
GARAGE = (400.0, 20.0)


@each_row(
    ("named", "heard", "found"),
    [
        (
            ["roof", "garage"],
            {"roof": ROOF, "garage": GARAGE},
            [("garage", NOW - timedelta(days=20))],
        ),
        (["roof", "garage"], {"roof": ROOF}, [("garage", None)]),
        # Nobody of the role speaks: the home automation is away.
        (["roof", "garage"], {"roof": (400.0, 3.0), "garage": GARAGE}, []),
        (["roof", "garage"], {"roof": ROOF, "garage": (400.0, 13.0)}, []),
        # Nobody can speak for longer than the record.
        (["roof", "garage"], {"roof": (5.0, 0.01)}, []),
        (["garage"], {"garage": GARAGE}, []),
        (
            ["roof", {"sensor": "garage", "until": "2026-05-01"}],
            {"roof": ROOF, "garage": GARAGE},
            [],
        ),
        (["roof", {"sensor": "new", "from": "2026-05-15"}], {"roof": ROOF}, []),
        (["roof", {"sensor": "new", "from": "2026-05-01"}], {"roof": ROOF}, [("new", None)]),
    ],
)
def test_a_sensor_is_silent_for_good_where_another_of_its_role_goes_on(
    named: list[object],
    heard: dict[str, tuple[float, float]],
    found: list[tuple[str, datetime | None]],
) -> None:
    site = parse_site(
        {"name": "home", "timezone": "UTC", "input_sensors": {"total_pv_production": named}}
    )
    spans = {
        name: (NOW - timedelta(days=first), NOW - timedelta(days=last))
        for name, (first, last) in heard.items()
    }
    assert [(each.sensor.name, each.since) for each in find_silent(site, spans, at=NOW)] == found
