"""What an inverter does not let through is no surplus."""

from tests.support.planning.requests import answer, make_request

HEATER = {"name": "heater", "power_kw": 3, "energy_kwh_per_day": 3, "surplus_only": True}


def runs(ac_limit_kw: float) -> bool:
    inverter = {"name": "inverter", "ac_limit_kw": ac_limit_kw, "pv": ["roof"]}
    site = {"pv": [{"name": "roof", "peak_kw": 8}], "inverters": [inverter], "loads": [HEATER]}
    series = {"load_kwh": [0.2] * 4, "pv_kwh": 6.0, "import_price": 0.3, "export_price": 0.1}
    return any(slot.loads["heater"].on for slot in answer(make_request(site, series)).slots)


def test_an_appliance_that_runs_on_surplus_alone_waits_where_too_little_comes_through() -> None:
    assert runs(ac_limit_kw=5)
    assert not runs(ac_limit_kw=2)
