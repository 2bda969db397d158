"""What the stored sites allow for bounds the devices that they name."""

from luna.energy.site import Site, parse_site
from services.ingest.listening.recording_state import rate_sensors

ROOF = "profile:huawei_sun2000@192.0.2.1#pv_w"


def home(name: str, peak_kw: float, sensor: str) -> Site:
    document = {
        "name": name,
        "timezone": "UTC",
        "pv": [{"name": "roof", "peak_kw": peak_kw}],
        "input_sensors": {"total_pv_production": [sensor]},
    }
    return parse_site(document)


def test_a_device_is_bounded_by_the_largest_site_that_names_it_and_other_sensors_by_none() -> None:
    sites = [home("small", 4, ROOF), home("large", 10, ROOF), home("other", 2, "sensor.roof")]
    assert rate_sensors(sites) == {ROOF: {"pv_w": 13_000}}
