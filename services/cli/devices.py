"""``luna devices``: devices that Luna speaks to itself, by the profiles of their products."""

import math
import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.console import JsonOption, emit, out, table

if TYPE_CHECKING:
    from luna.platform.drivers.profile import DeviceProfile

app = typer.Typer(help="Devices that Luna speaks to itself: list profiles, find devices, read one, simulate one.", no_args_is_help=True)

ProfileOption = Annotated[str, typer.Option("--profile", help="Of its product, as luna devices list names it.")]
PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="Of Modbus TCP; empty: the profile's.")]
UnitOption = Annotated[int | None, typer.Option(min=0, max=255, help="Its number on the bus; empty: the profile's.")]


@app.command("list")
def list_profiles(*, as_json: JsonOption = False) -> None:
    """Show every profile: what it covers, what the device does when nobody commands it, and what the profile rests on."""
    from luna.platform.drivers import profiles
    from luna.platform.settings import load_settings

    found = profiles.list_profiles(load_settings().data_folder)
    rows = [[each.profile, each.title, ", ".join(product.brand for product in each.covers), _fallback_of(each), each.evidence[0].kind] for each in found]
    document = {
        "profiles": [each.model_dump(mode="json", include={"profile", "title", "kind", "covers", "reverts", "exclusive", "evidence"}) for each in found]
    }
    emit(document, as_json=as_json, show=lambda: table(("profile", "what it is", "brands", "left alone", "rests on"), rows, words=("what it is", "left alone")))


@app.command("scan")
def scan_network(
    network: Annotated[str, typer.Argument(help="Of this home, such as 192.168.1.0/24, or one address.")],
    *,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the addresses of a network that you name for devices that a profile knows; nothing is written to any of them."""
    from luna.platform.drivers import profiles
    from luna.platform.drivers.finding import find_devices, list_hosts
    from luna.platform.settings import load_settings

    found = list(find_devices(list_hosts(network), profiles.list_profiles(load_settings().data_folder), port=port))
    rows = [[each.host, str(each.port), " ".join(each.identity[:2]) if each.identity else "–", each.profile.profile if each.profile else "–"] for each in found]
    document = [
        {"host": each.host, "port": each.port, "device": each.identity._asdict() if each.identity else None, "profile": each.profile and each.profile.profile}
        for each in found
    ]
    emit(
        {"devices": document},
        as_json=as_json,
        show=lambda: table(("address", "port", "says it is", "profile"), rows) if rows else out.print("No device answers."),
    )


@app.command("test")
def read_device(
    host: Annotated[str, typer.Argument(help="Its name or address in the network.")],
    *,
    profile: ProfileOption,
    port: PortOption = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a device once and show each value with its unit, beside which its own display should say the same; nothing is written."""
    from luna.energy.devices import Via
    from luna.platform.drivers.inverter import reach_device
    from luna.platform.drivers.profile import READING_UNITS
    from luna.platform.settings import load_settings

    with closing(reach_device(Via(profile=profile, host=host, port=port, unit=unit), load_settings().data_folder)) as device:
        identity, readings = device.identify(), device.read()
    rows = [[name, "unknown" if math.isnan(value) else f"{value:g}", READING_UNITS[name]] for name, value in readings.items()]
    document = {
        "device": None if identity is None else identity._asdict(),
        "readings": {name: None if math.isnan(value) else value for name, value in readings.items()},
    }

    def show() -> None:
        if identity is not None:
            out.print(f"{identity.maker} {identity.model}, {identity.version}, {identity.serial}", markup=False, highlight=False)
        table(("reading", "value", "unit"), rows)

    emit(document, as_json=as_json, show=show)


@app.command("simulate")
def simulate_device(
    *,
    profile: ProfileOption,
    port: Annotated[int, typer.Option(min=0, max=65535, help="To serve at, on this machine alone; 0: one that is free.")] = 0,
    seconds: Annotated[float | None, typer.Option(min=0, help="For how long; empty: until Ctrl-C.")] = None,
) -> None:
    """Serve a profile's registers with a battery behind them, so that it can be found, read and commanded without owning one."""
    from luna.platform.drivers.modbus_server import serve_registers
    from luna.platform.drivers.profiles import load_profile
    from luna.platform.drivers.simulator import SimulatedInverter
    from luna.platform.settings import load_settings

    device = SimulatedInverter(load_profile(profile, load_settings().data_folder))
    with serve_registers(device, port=port) as server:
        out.print(f"{profile} answers at 127.0.0.1:{server.port}; Ctrl-C ends it.", markup=False, highlight=False)
        try:
            time.sleep(seconds) if seconds is not None else _wait_for_ever()
        except KeyboardInterrupt:
            out.print("It has ended.")


def _wait_for_ever() -> None:
    while True:
        time.sleep(3600)


def _fallback_of(profile: "DeviceProfile") -> str:
    if profile.reverts is None:
        return "–"
    return "keeps its last command" if profile.reverts.after_s is None else f"its own self-consumption after {profile.reverts.after_s} s"
