"""Every profile of a solar inverter against its own simulator: read, curtailed, kept up, set free;
those of SunSpec also by somebody else's client.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from luna.contracts.control import PvSetpoint
from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_session import CommandSession
from luna.drivers.control.units.pv import PvArrays
from luna.drivers.device_search import find_devices
from luna.drivers.device_server import DeviceServer, serve_device
from luna.drivers.obedience import OBEYS_WITHIN_S
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_points import RegisterPoint
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import list_profiles, load_profile, require_profiles
from luna.drivers.session import ASKED_SECONDS
from luna.drivers.simulated_charge_point import SimulatedPvInverter
from luna.drivers.site_device import add_device
from luna.drivers.transports import HttpTransport
from luna.energy.devices.commands import Via
from luna.energy.errors import InvalidInputError, UnavailableError
from luna.energy.site import Site, parse_site
from tests.support.gateway.certificates import NO_CERTIFICATES

NO_FOLDER = Path("/nonexistent")
# One that encrypts is served with its certificate in test_pinned_certificate.py.
PROFILES = {
    profile.profile: profile
    for profile in list_profiles()
    if profile.kind == "pv_inverter"
    and not (isinstance(profile.transport, HttpTransport) and profile.transport.pinned)
}
CURTAILED = [name for name, profile in PROFILES.items() if profile.is_commanded]
FREE = DeviceCommand("free")
# A fifth of its 5 kW.
ONE_KW = DeviceCommand("limit", power_w=1000)


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Roof:
    """An inverter under command that could give 2 kW."""

    device: SimulatedPvInverter
    server: DeviceServer
    reader: ProfiledDevice
    session: CommandSession
    clock: Seconds

    def live(self, seconds: float, *, asked: bool = True) -> None:
        """Let time pass: the session looks four times a minute, its caller asks once."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += 15
            if asked and self.clock.now % 60 == 0:
                self.session.read_back()
            self.session.look()

    @property
    def power_w(self) -> float:
        return self.reader.read("pv_w")["pv_w"]


def reach_here(profile: DeviceProfile, port: int) -> ProfiledDevice:
    return reach(profile, Via(profile=profile.profile, host="127.0.0.1", port=port))


@pytest.fixture
def roof(request: pytest.FixtureRequest) -> Iterator[Roof]:
    profile = PROFILES[request.param]
    clock = Seconds()
    device = SimulatedPvInverter(profile, now=clock)
    with ExitStack() as opened:
        server = opened.enter_context(serve_device(device))
        reader = opened.enter_context(closing(reach_here(profile, server.port)))
        commanded = reach_here(profile, server.port)
        session = CommandSession(commanded, now=clock, look_seconds=1e6)
        opened.enter_context(closing(session))
        yield Roof(device, server, reader, session, clock)


@pytest.mark.parametrize("roof", PROFILES, indirect=True)
def test_what_it_gives_is_read_and_counted(roof: Roof) -> None:
    before = roof.reader.read()
    roof.clock.now += 3600
    after = roof.reader.read()
    assert (before["pv_w"], after["pv_w"]) == (2000, 2000)
    assert after["pv_kwh"] - before["pv_kwh"] == pytest.approx(2, abs=0.01)
    points = dict.fromkeys(roof.device.profile.points, math.nan)
    roof.device.stuck |= points
    assert all(math.isnan(value) for value in roof.reader.read().values())
    assert roof.device.written == []


@pytest.mark.parametrize("roof", CURTAILED, indirect=True)
def test_a_limit_is_taken_read_back_and_kept_and_ends_with_the_next_command(roof: Roof) -> None:
    for command, power_w in (
        (ONE_KW, 1000),
        # Whole percents of what it can, never beyond the limit: 24 % of 5 kW.
        (DeviceCommand("limit", power_w=1249), 1200),
        (DeviceCommand("limit", power_w=0), 0),
        (DeviceCommand("limit", power_w=90_000), 2000),
        (FREE, 2000),
    ):
        roof.session.command(command)
        assert roof.session.read_back() == command
        assert roof.power_w == power_w
    written = len(roof.device.written)
    roof.session.command(FREE)
    assert len(roof.device.written) == written


@pytest.mark.parametrize("roof", CURTAILED, indirect=True)
def test_a_limit_is_kept_up_while_somebody_asks_for_it_and_ends_without_them(roof: Roof) -> None:
    after_s = roof.device.profile.reverts.after_s if roof.device.profile.reverts else None
    roof.session.command(ONE_KW)
    # Far beyond the time after which the inverter would fall back.
    roof.live(1.5 * (after_s or 600))
    assert roof.power_w == 1000
    roof.live(ASKED_SECONDS + (after_s or 0) + 60, asked=False)
    assert (roof.power_w, roof.device.mode) == (2000, "free")


@pytest.mark.parametrize("roof", CURTAILED, indirect=True)
def test_an_inverter_that_takes_a_limit_and_gives_more_is_seen(roof: Roof) -> None:
    roof.device.deaf = True
    roof.session.command(ONE_KW)
    roof.live(OBEYS_WITHIN_S + 60)
    assert roof.session.disobeys
    roof.session.command(FREE)
    assert not roof.session.disobeys


@pytest.mark.parametrize("roof", CURTAILED, indirect=True)
def test_nothing_is_sent_where_it_does_not_tell_what_a_hundred_percent_is(roof: Roof) -> None:
    [whole] = [write.of for write in roof.device.profile.modes["limit"] if write.of]
    roof.device.stuck[whole] = math.nan
    with pytest.raises(UnavailableError) as refused:
        roof.session.command(ONE_KW)
    assert (refused.value.reason, roof.device.written) == ("device-value-unknown", [])


@pytest.mark.parametrize("roof", CURTAILED, indirect=True)
def test_an_inverter_that_refuses_or_restarts_is_seen(roof: Roof) -> None:
    roof.server.faults.writes_taken = 1
    with pytest.raises(UnavailableError) as refused:
        roof.session.command(ONE_KW)
    assert refused.value.reason == "device-refuses"
    assert roof.session.read_back() is None
    roof.server.faults.writes_taken = None
    roof.session.command(ONE_KW)
    assert roof.session.read_back() == ONE_KW
    roof.device.reboot()
    roof.session.look()
    assert (roof.session.read_back(), roof.power_w) == (None, 2000)


# Models and points by their names in SunSpec's own documents: limit, time, switch.
IMMEDIATE = (123, "WMaxLimPct", "WMaxLimPct_RvrtTms", "WMaxLim_Ena")
DER = (704, "WMaxLimPct", "WMaxLimPctRvrtTms", "WMaxLimPctEna")


@pytest.mark.parametrize(
    ("roof", "models", "control", "measures"),
    [
        ("sunspec_inverter", [1, 103, 120, 121, 122, 123], IMMEDIATE, 103),
        ("sma_inverter", [1, 103, 120, 121, 122, 123], IMMEDIATE, 103),
        ("enphase_gateway", [1, 701, 702, 704], DER, 701),
    ],
    indirect=["roof"],
)
def test_somebody_elses_client_finds_its_models_and_curtails_it(
    roof: Roof, models: list[int], control: tuple[int, str, str, str], measures: int
) -> None:
    from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

    client: Any = SunSpecModbusClientDeviceTCP(
        slave_id=roof.device.profile.transport.unit,  # type: ignore[union-attr]
        ipaddr="127.0.0.1",
        ipport=roof.server.port,
    )
    client.scan()
    assert [number for number in client.models if isinstance(number, int)] == models
    number, limit, time, switch = control
    controls = client.models[number][0]
    controls.read()
    getattr(controls, time).value = 60
    getattr(controls, limit).cvalue = 30
    getattr(controls, switch).value = 1
    controls.write()
    inverter = client.models[measures][0]
    for seconds, power_w in ((30, 1500), (60, 2000)):
        roof.clock.now += seconds
        inverter.read()
        assert inverter.W.cvalue == power_w
    client.close()


def test_an_envoy_answers_with_the_document_of_its_maker() -> None:
    device = SimulatedPvInverter(load_profile("enphase_http", NO_FOLDER))
    with serve_device(device) as server:
        url = f"http://127.0.0.1:{server.port}/api/v1/production"
        document = httpx.get(url, trust_env=False, verify=NO_CERTIFICATES).json()
    assert document["wattsNow"] == 2000
    assert document["wattHoursLifetime"] == pytest.approx(1_000_000, abs=10)


@pytest.mark.parametrize(
    "name", [name for name, profile in PROFILES.items() if profile.sunspec or profile.identified]
)
def test_a_search_tells_it_from_all_others_and_writes_nothing(name: str) -> None:
    device = SimulatedPvInverter(PROFILES[name])
    with serve_device(device) as server:
        [found] = find_devices(["127.0.0.1"], list_profiles(), port=server.port)
    assert (found.profile.profile, device.written) == (name, [])


def home(**parts: Any) -> Site:
    return parse_site(
        {"name": "home", "timezone": "Europe/Berlin", "pv": [{"peak_kw": 6.0}], **parts}
    )


@pytest.mark.parametrize(
    ("setpoint", "sent"),
    [
        (PvSetpoint(mode="free", limit_kw=None), "free"),
        (PvSetpoint(mode="limit", limit_kw=2.5), "limit power_w=2500"),
        (PvSetpoint(mode="off", limit_kw=None), "limit power_w=0"),
        # It knows nothing of the house: a stricter limit would cost the house's own use.
        (PvSetpoint(mode="no_export", limit_kw=None), "free"),
    ],
)
def test_a_plan_reaches_an_inverter_that_was_added_to_a_home(
    setpoint: PvSetpoint, sent: str
) -> None:
    via = Via(profile="sunspec_inverter", host="192.0.2.7")
    site = add_device(home(), via, PROFILES["sunspec_inverter"])
    require_profiles(site, NO_FOLDER)
    assert site.control is not None
    assert site.control.pv is not None
    arrays = PvArrays(site, site.control.pv)
    [write] = arrays.render(arrays.make_safe({"pv": setpoint}, {}))
    assert (write.to, write.value, write.read_back) == ("profile:pv", sent, "profile:pv")
    assert site.control.vias_by_place == {"profile:pv": via}
    sensors = site.input_sensors.model_dump(mode="json")["total_pv_production"]
    assert sensors == ["profile:sunspec_inverter@192.0.2.7#pv_kwh"]


def test_an_inverter_that_is_only_read_or_of_another_kind_does_not_curtail() -> None:
    read = add_device(
        home(), Via(profile="enphase_http", host="192.0.2.7"), PROFILES["enphase_http"]
    )
    assert read.control is None
    for profile, reason in (
        ("enphase_http", "profile-not-commanded"),
        ("sungrow_sh", "profile-other-kind"),
    ):
        control = {"by": "profile", "pv": {"via": {"profile": profile, "host": "192.0.2.7"}}}
        with pytest.raises(InvalidInputError) as refused:
            require_profiles(home(control=control), NO_FOLDER)
        assert refused.value.reason == reason


def test_a_limit_of_watts_lies_within_what_a_register_holds() -> None:
    for name in CURTAILED:
        [put] = [write for write in PROFILES[name].modes["limit"] if write.put == "power_percent"]
        point = PROFILES[name].points[put.write]
        assert isinstance(point, RegisterPoint)
        assert (point.low, point.high, point.unit) == (0, 100, "%")
