"""A simulated SunSpec device as somebody else's client sees it: pysunspec2 scans, reads and drives
it by the models that SunSpec publishes.

What is expected of it comes from the models' documents alone, so that profile and simulator cannot
be wrong together.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from luna.drivers.device_server import serve_registers
from luna.drivers.point_image import RegisterImage
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter

LIMIT_CHARGE = 1
LIMIT_DISCHARGE = 2


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def device(clock: Seconds) -> SimulatedInverter:
    return SimulatedInverter(load_profile("sunspec_12x", Path("/nonexistent")), now=clock)


@contextmanager
def scan(device: SimulatedInverter) -> Iterator[Any]:
    from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

    with serve_registers(device) as server:
        client = SunSpecModbusClientDeviceTCP(
            slave_id=device.profile.transport.unit, ipaddr="127.0.0.1", ipport=server.port
        )
        client.scan()
        yield client
        client.close()


def list_models(client: Any) -> list[int]:
    return [number for number in client.models if isinstance(number, int)]


@pytest.fixture
def client(device: SimulatedInverter) -> Iterator[Any]:
    with scan(device) as client:
        yield client


def test_the_models_are_found_and_named(client: Any) -> None:
    common = client.models[1][0]
    assert (common.Mn.value, common.Md.value) == ("Luna", "simulated sunspec_12x")
    assert list_models(client) == [1, 103, 120, 124, 160]


def test_what_is_read_has_its_unit_and_scale(client: Any) -> None:
    storage = client.models[124][0]
    storage.read()
    assert (storage.ChaState.cvalue, storage.WChaMax.cvalue, storage.StorCtl_Mod.value) == (
        50.0,
        5000,
        0,
    )
    assert client.models[160][0].N is not None


@pytest.mark.parametrize(
    ("control", "discharge_percent", "charge_percent", "flows_kw"),
    [
        (0, 100, 100, 1.5),  # no limit: what the house leaves over
        (LIMIT_DISCHARGE, 0, 100, 1.5),
        (LIMIT_CHARGE, 100, 0, 0.0),
        (LIMIT_CHARGE | LIMIT_DISCHARGE, 0, 0, 0.0),
        # A limit of discharging below zero charges: 3 kW beside the surplus
        (LIMIT_DISCHARGE, -60, 100, 4.5),
        (LIMIT_CHARGE, 100, -20, -1.0),  # and its mirror feeds out
    ],
)
def test_limits_do_what_the_document_says(
    client: Any,
    device: SimulatedInverter,
    clock: Seconds,
    control: int,
    discharge_percent: float,
    charge_percent: float,
    flows_kw: float,
) -> None:
    storage = client.models[124][0]
    storage.read()
    storage.OutWRte.cvalue = discharge_percent
    storage.InWRte.cvalue = charge_percent
    storage.StorCtl_Mod.value = control
    storage.ChaGriSet.value = 1
    storage.write()
    clock.now += 30
    device.look()
    assert device.power_kw == pytest.approx(flows_kw, abs=0.01)


def test_a_dead_master_leaves_it_to_itself_after_the_time_it_named(
    client: Any, device: SimulatedInverter, clock: Seconds
) -> None:
    storage = client.models[124][0]
    storage.read()
    storage.OutWRte.cvalue = -60
    storage.StorCtl_Mod.value = LIMIT_DISCHARGE
    storage.InOutWRte_RvrtTms.value = 180
    storage.ChaGriSet.value = 1
    storage.write()
    clock.now += 170
    device.look()
    assert device.mode == "charge"
    clock.now += 20
    storage.read()
    assert storage.StorCtl_Mod.value == 0
    assert device.mode == "self_consumption"


@pytest.mark.parametrize(("name", "model"), [("sunspec_meter", 203), ("sunspec_meter_float", 213)])
def test_a_meter_is_read_as_its_model_says(name: str, model: int, clock: Seconds) -> None:
    device = SimulatedInverter(
        load_profile(name, Path("/nonexistent")), now=clock, house=lambda _: (9.0, 0.0)
    )
    clock.now += 60
    with scan(device) as client:
        meter = client.models[model][0]
        meter.read()
    # Nine kilowatts of load, five of them from the battery.
    assert meter.W.cvalue == pytest.approx(4000, abs=1)
    assert meter.TotWhImp.cvalue > 1_000_000
    assert meter.TotWhExp.cvalue == pytest.approx(1_000_000, abs=100)


PV = 0
STORAGE = 1
OFF = 0
ON = 1
WATTS = 1


@pytest.fixture
def der(clock: Seconds) -> SimulatedInverter:
    return SimulatedInverter(load_profile("sunspec_7xx", Path("/nonexistent")), now=clock)


def test_a_device_of_the_700_models_tells_its_ports_by_their_type(
    der: SimulatedInverter, clock: Seconds
) -> None:
    clock.now += 30
    with scan(der) as client:
        assert list_models(client) == [1, 701, 702, 703, 704, 713, 714, 715, 203]
        ac, capacity, storage, dc, meter = (
            client.models[number][0] for number in (701, 702, 713, 714, 203)
        )
        for model in (ac, capacity, storage, dc, meter):
            model.read()
    assert dc.NPrt.value == len(dc.Prt) == 3
    assert [(port.PrtTyp.value, port.ID.value) for port in dc.Prt] == [
        (PV, 1),
        (STORAGE, 2),
        (PV, 3),
    ]
    # Two kilowatts of the sun on two strings, of which the house uses half of one: the rest
    # charges, and an absorbed power is below zero.
    assert [port.DCW.cvalue for port in dc.Prt] == [1000, -1500, 1000]
    assert (ac.W.cvalue, meter.W.cvalue) == (500, 0)
    assert (capacity.WChaRteMaxRtg.cvalue, capacity.WDisChaRteMax.cvalue) == (5000, 5000)
    assert storage.SoC.cvalue == pytest.approx(50, abs=0.2)


@pytest.mark.parametrize(
    ("set_w", "storage_w"),
    [
        (2000, 0),  # what the sun gives
        (0, -2000),
        (-2000, -4000),  # absorbed from the AC side, beside the sun
        (3000, 1000),
        (6500, 4500),
    ],
)
def test_a_set_active_power_is_that_of_the_ac_side(
    der: SimulatedInverter, clock: Seconds, set_w: int, storage_w: int
) -> None:
    with scan(der) as client:
        control, ac, dc = (client.models[number][0] for number in (704, 701, 714))
        control.read()
        assert control.WSetEna.value == OFF
        control.WSetRvrtTms.value = 180
        control.WSetEnaRvrt.value = OFF
        control.WSetMod.value = WATTS
        control.WSet.cvalue = set_w
        control.WSetEna.value = ON
        control.write()
        clock.now += 30
        for model in (control, ac, dc):
            model.read()
        assert (control.WSetEna.value, control.WSet.cvalue) == (ON, set_w)
        assert (ac.W.cvalue, dc.Prt[1].DCW.cvalue) == (set_w, storage_w)
        clock.now += 180
        control.read()
        # Nobody wrote for as long as the reversion time: it is as WSetEnaRvrt says.
        assert control.WSetEna.value == OFF


def test_a_gen24_is_what_it_says(clock: Seconds) -> None:
    device = SimulatedInverter(load_profile("fronius_gen24", Path("/nonexistent")), now=clock)
    clock.now += 30
    with scan(device) as client:
        assert list_models(client) == [1, 113, 120, 121, 122, 123, 160, 124]
        common, nameplate, dc, storage = (client.models[number][0] for number in (1, 120, 160, 124))
        for model in (nameplate, dc, storage):
            model.read()
        assert common.Mn.value == "Fronius"
        assert "GEN24" in common.Md.value
        assert (nameplate.DERTyp.value, dc.N.value) == (82, 4)
        assert [module.DCW.cvalue for module in dc.module] == [1000, 1000, 1500, 0]
        assert (storage.MinRsvPct.cvalue, storage.WChaMax.cvalue) == (10, 5000)
        for exponent in (-2, 0):
            # The same numbers by other exponents, which it may change while it runs.
            image = device.look()
            assert isinstance(image, RegisterImage)
            image.rescale({"OutWRte": exponent})
            storage.read()
            storage.OutWRte.cvalue = -60
            storage.StorCtl_Mod.value = LIMIT_DISCHARGE
            storage.ChaGriSet.value = 1
            storage.write()
            clock.now += 30
            device.look()
            assert (device.power_kw, storage.OutWRte.value) == (
                pytest.approx(4.5, abs=0.01),
                -60 * 10**-exponent,
            )
