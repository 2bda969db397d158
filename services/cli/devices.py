"""``luna devices``: devices that Luna speaks to itself, by the profiles of their products."""

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.text import Text

from luna.energy.errors import UnavailableError
from luna.house.desk.servers import unit_of_work
from luna.words.command_trial import COMMAND_TRIAL, format_command_trial
from luna.words.implausible import say_implausible
from luna.words.trial import TRIAL, say_trial
from services.cli.console import JsonOption, build_table, emit, out, table, write_text
from services.cli.options import SiteOption, confirm_differences

if TYPE_CHECKING:
    from luna.drivers.command_trial import CommandStep
    from luna.drivers.device_secrets import DeviceSecret
    from luna.drivers.plausibility import ImplausibleReading
    from luna.drivers.profiled_device import ProfiledDevice
    from luna.drivers.trial import TrialStep
    from luna.energy.devices.commands import Via

app = typer.Typer(
    help=("Find, test, add, simulate or share a device."),
    no_args_is_help=True,
)

# How well a profile is proven, by its strongest evidence.
LEVELS = {
    "owner": "an owner's word",
    "maker": "the maker's paper",
    "reported": "another project",
    "simulator": "its simulator",
}
# In place of a secret's name: prompt for the secret.
TYPED = "-"

HostArgument = Annotated[
    str, typer.Argument(help="The device's name or address; over MQTT the broker's.")
]
ProfileOption = Annotated[
    str, typer.Option("--profile", help="The product's profile: see luna devices list.")
]
PortOption = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port (default: the profile's).")
]
SecretOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=(
            "File with the password, in devices/secrets of the data folder; -: ask, or "
            "read standard input."
        ),
    ),
]
PrefixOption = Annotated[
    str | None,
    typer.Option(help="MQTT: the start of the device's topics, or the id of its portal."),
]
UnitOption = Annotated[
    int | None,
    typer.Option(min=0, max=255, help="The device's number on the bus (default: the profile's)."),
]


@app.command("list")
def list_profiles(*, as_json: JsonOption = False) -> None:
    """List the products Luna can control, with each profile's functions and evidence."""
    from luna.drivers import profiles
    from luna.platform.settings import load_settings

    known_profiles = profiles.list_profiles(load_settings().data_folder)
    fields = {"profile", "title", "kind", "covers", "reverts", "exclusive", "evidence"}
    document: dict[str, list[dict[str, object]]] = {"profiles": []}
    for profile in known_profiles:
        standing = {"level": profile.evidence_level, "needs_trial": profile.needs_trial}
        document["profiles"].append(profile.model_dump(mode="json", include=fields) | standing)

    def show() -> None:
        rows = []
        for profile in known_profiles:
            brands = ", ".join(product.brand for product in profile.covers)
            fallback = profiles.describe_fallback(profile)
            level = LEVELS[profile.evidence_level]
            if profile.needs_trial:
                level = f"{level}; only read until tried"
            rows.append([profile.profile, profile.title, brands, fallback, level])
        headings = ("profile", "what it is", "brands", "left alone", "rests on")
        table(headings, rows, words=("what it is", "left alone", "rests on"))

    emit(document, as_json=as_json, show=show)


@app.command("scan")
def scan_network(
    network: Annotated[
        str, typer.Argument(help="Your network, such as 192.168.1.0/24, or one address.")
    ],
    *,
    port: PortOption = None,
    secret: SecretOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search your network for devices that Luna knows; write to none of them."""
    from luna.drivers import device_search, profiles
    from luna.drivers.device_secrets import read_device_secret
    from luna.platform.settings import load_settings

    folder = load_settings().data_folder
    login = None
    if secret == TYPED:
        login = _type_secret()
    elif secret is not None:
        login = read_device_secret(secret, folder)
    devices, missing_extra = device_search.search_network(
        network, profiles.list_profiles(folder), port=port, secret=login, data_folder=folder
    )
    rows = []
    document = []
    for device in devices:
        unit = "–" if device.unit is None else str(device.unit)
        port_text = "–" if device.port is None else str(device.port)
        model = " ".join(device.identity[:2]).strip() if device.identity else "–"
        profile = device.profile.profile
        rows.append([device.host, port_text, device.prefix or unit, model, profile])
        document.append(
            {
                "host": device.host,
                "port": device.port,
                "unit": device.unit,
                "prefix": device.prefix,
                "device": device.identity._asdict() if device.identity else None,
                "profile": profile,
            }
        )

    def show() -> None:
        if rows:
            table(("address", "port", "unit or prefix", "says it is", "profile"), rows)
        else:
            out.print("No device answers.")
        if missing_extra:
            out.print(
                (f"To find devices at other ports: luna extras add {missing_extra}."),
                markup=False,
            )

    emit({"devices": document, "missing_extra": missing_extra}, as_json=as_json, show=show)


@app.command("test")
def try_device(  # noqa: PLR0913 - one per option
    host: HostArgument,
    *,
    profile: ProfileOption,
    port: PortOption = None,
    unit: UnitOption = None,
    move: Annotated[
        bool,
        typer.Option(
            "--move",
            help=(
                "Then check that it obeys: charge and discharge a battery with 200 W for ten "
                "seconds each, charge a car with 6 A, switch a device on or halve what a roof "
                "gives for a minute."
            ),
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Move it without asking.")] = False,
    prefix: PrefixOption = None,
    secret: SecretOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a device once and show its values; --move also commands it for a moment."""
    from luna.drivers.command_trial import is_tried_by_command
    from luna.drivers.readings import READING_UNITS

    via = _via(host, profile, port=port, unit=unit, prefix=prefix, secret=secret)
    with _reach(via) as device:
        is_commanded = is_tried_by_command(device.profile)
        identity = device.identify()
        measured = device.measure()
    rows = [[name, _say(value), READING_UNITS[name]] for name, value in measured.values.items()]
    document = {
        "device": None if identity is None else identity._asdict(),
        "readings": _plain(measured.values),
        "implausible": [_plain_fault(fault) for fault in measured.implausible],
    }

    def show() -> None:
        if identity is not None:
            model = f"{identity.maker} {identity.model}"
            _print_plain(f"{model}, {identity.version}, {identity.serial}")
        table(("reading", "value", "unit"), rows)
        for fault in measured.implausible:
            _print_plain(_say_fault(fault))

    if not move:
        emit(document, as_json=as_json, show=show)
        return
    if not as_json:
        show()
        question = _MOVES.get(device.profile.kind)
        if question is not None and not yes and sys.stdin.isatty():
            typer.confirm(question, abort=True, err=True)
    move_device = _move_commanded if is_commanded else _move
    steps = move_device(via, quiet=as_json)
    ending = (COMMAND_TRIAL if is_commanded else TRIAL).say("ended", "en")
    moved = []
    for step in steps:
        figures = _plain({"power_w": step.power_w, "seconds": step.seconds})
        faults = [_plain_fault(fault) for fault in getattr(step, "implausible", ())]
        step_document = {"mode": step.mode, "outcome": step.outcome}
        moved.append(step_document | figures | {"implausible": faults})
    emit(document | {"moved": moved}, as_json=as_json, show=lambda: out.print(ending))
    if not all(step.is_right for step in steps):
        raise typer.Exit(1)


_MOVES: Mapping[str, str] = {
    "battery_inverter": "Charge and discharge the battery with 200 W for half a minute?",
    "charge_point": "Charge the car with 6 A for a minute?",
    "switched_load": "Switch the device on for a minute?",
    "pv_inverter": "Let the roof give half of what it gives, for a minute?",
}


def _move(via: "Via", *, quiet: bool) -> "Sequence[TrialStep | CommandStep]":
    from luna.drivers.trial import move_battery
    from luna.house.control_service import allow_trial
    from luna.house.untried_devices import store_trial
    from luna.platform.clock import SystemClock

    def report(step: "TrialStep") -> None:
        if quiet:
            return
        sentence = say_trial(
            step.mode, step.outcome, power_w=step.power_w, seconds=step.seconds, language="en"
        )
        _print_plain(sentence)
        for fault in step.implausible:
            _print_plain(_say_fault(fault))

    with unit_of_work() as connection:
        bounds = allow_trial(connection, via)
    with _reach(via) as device:
        steps = move_battery(device, bounds, report=report)
    with unit_of_work() as connection:
        store_trial(connection, via, steps, at=SystemClock().now())
    return steps


def _move_commanded(via: "Via", *, quiet: bool) -> "Sequence[TrialStep | CommandStep]":
    from luna.drivers.command_trial import move_commanded
    from luna.house.control_service import allow_command_trial
    from luna.house.untried_devices import store_trial
    from luna.platform.clock import SystemClock

    def report(step: "CommandStep") -> None:
        if not quiet:
            sentence = format_command_trial(
                step.mode, step.outcome, power_w=step.power_w, language="en"
            )
            _print_plain(sentence)

    with _reach(via) as device:
        with unit_of_work() as connection:
            own = allow_command_trial(connection, via, device.profile)
        steps = move_commanded(device, own, report=report)
    with unit_of_work() as connection:
        store_trial(connection, via, steps, at=SystemClock().now())
    return steps


@app.command("watch")
def watch_device(  # noqa: PLR0913 - one per option
    host: HostArgument,
    *,
    profile: ProfileOption,
    port: PortOption = None,
    unit: UnitOption = None,
    prefix: PrefixOption = None,
    secret: SecretOption = None,
    every: Annotated[
        float, typer.Option(min=0.5, max=3600, help="Seconds between two readings.")
    ] = 2.0,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Seconds to run (default: until Ctrl-C).")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write a line of JSON for each reading.")
    ] = False,
) -> None:
    """Show a device's values as they change, until Ctrl-C; write nothing."""
    from rich.live import Live

    from luna.drivers.readings import READING_UNITS
    from luna.platform.clock import SystemClock

    began = time.monotonic()
    clock = SystemClock()
    via = _via(host, profile, port=port, unit=unit, prefix=prefix, secret=secret)
    with (
        suppress(KeyboardInterrupt),
        _reach(via) as device,
        Live(console=out, auto_refresh=False) as live,
    ):
        while True:
            try:
                readings, implausible = device.measure()
                fault = None
            except UnavailableError as error:
                # The device may be restarting: go on polling.
                readings = {}
                implausible = ()
                fault = error
            if as_json:
                document: dict[str, object] = {
                    "at": clock.now().isoformat(),
                    "readings": _plain(readings),
                }
                if fault is not None:
                    document["error"] = fault.problem()
                if implausible:
                    document["implausible"] = [_plain_fault(reading) for reading in implausible]
                sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
                sys.stdout.flush()
            elif fault is not None:
                live.update(Text(str(fault)), refresh=True)
            else:
                rows = [
                    [name, _say(value), READING_UNITS[name]] for name, value in readings.items()
                ]
                live.update(build_table(("reading", "value", "unit"), rows), refresh=True)
            if seconds is not None and time.monotonic() - began + every > seconds:
                return
            time.sleep(every)


@app.command("add")
def add_to_site(  # noqa: PLR0913 - one per option
    host: HostArgument,
    *,
    profile: ProfileOption,
    site: SiteOption,
    name: Annotated[
        str | None, typer.Option(help="The name of the battery, car or load, if there are several.")
    ] = None,
    port: PortOption = None,
    unit: UnitOption = None,
    prefix: PrefixOption = None,
    secret: SecretOption = None,
    listen_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Share the device with other programs at this port (default: do not).",
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(help=("Address for --listen-port (default: 127.0.0.1; 0.0.0.0: all).")),
    ] = None,
    writes: Annotated[
        bool,
        typer.Option("--writes", help="Let other programs write through --listen-port, too."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Store without asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Control a battery, car or load through a device, and record its values.

    Turn control on again afterwards.
    """
    from luna.drivers.profiles import load_profile, require_profiles
    from luna.drivers.site_device import add_device
    from luna.platform.clock import SystemClock
    from luna.platform.database import control, site_changes, sites
    from luna.platform.settings import load_settings

    proxy_parts = {"port": listen_port, "listen": listen, "writes": writes or None}
    proxy = {part: value for part, value in proxy_parts.items() if value is not None}
    declared = load_profile(profile, load_settings().data_folder)
    via = _via(
        host, profile, port=port, unit=unit, prefix=prefix, secret=secret, proxy=proxy or None
    )
    with unit_of_work() as connection:
        stored = sites.read(connection, site)
        changed_site = add_device(stored.site, via, declared, name=name)
        require_profiles(changed_site, load_settings().data_folder)
        change = site_changes.prepare(connection, changed_site, now=SystemClock().now())
        differences = confirm_differences(connection, change.site, yes=yes, quiet=as_json)
        site_changes.store(connection, change, version=stored.version)
        if change.site.control != stored.site.control:
            # A changed way of control has to be armed again by its owner.
            control.disarm(connection, site)
    sentence = f"{site} has it already."
    if differences:
        sentence = (
            f"The device is part of {site}. Test it with luna devices test {host} --profile "
            f"{profile} --move. Turn control on with luna control arm --site {site}."
        )
    document = {"site": site, "differences": [change._asdict() for change in differences]}
    emit(document, as_json=as_json, show=partial(write_text, sentence))


@app.command("simulate")
def simulate_device(
    *,
    profile: ProfileOption,
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            help="Port on this machine; 0: any free one. MQTT: the broker's.",
        ),
    ] = 0,
    broker: Annotated[str, typer.Option(help="MQTT: a broker without a password.")] = "127.0.0.1",
    prefix: PrefixOption = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Seconds to run (default: until Ctrl-C).")
    ] = None,
) -> None:
    """Simulate a product, to test without owning one."""
    from luna.drivers.device_server import (
        SIMULATED_PREFIX,
        SIMULATED_SERIAL,
        serve_device,
    )
    from luna.drivers.profiles import load_profile
    from luna.drivers.simulated_charge_point import simulate
    from luna.platform.settings import load_settings

    device = simulate(load_profile(profile, load_settings().data_folder))
    kind = device.profile.transport.kind
    default_prefix = SIMULATED_SERIAL if kind == "sma_multicast" else SIMULATED_PREFIX
    shown_prefix = prefix or default_prefix
    host = broker if kind == "mqtt" else "127.0.0.1"
    with serve_device(device, host=host, port=port, prefix=shown_prefix) as server:
        address = f"{host}:{server.port}"
        if device.profile.needs_prefix:
            address = f"{address} with prefix {shown_prefix}"
        _print_plain(f"{profile} answers at {address}; Ctrl-C ends it.")
        try:
            Event().wait(seconds)
        except KeyboardInterrupt:
            out.print("It has ended.")


@app.command("proxy")
def open_proxy(
    host: Annotated[str, typer.Argument(help="The device's name or address.")],
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The device's port.")] = 502,
    listen: Annotated[
        str,
        typer.Option(help="Address to listen at; 0.0.0.0: all."),
    ] = "127.0.0.1",
    listen_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen at; 0: any free one.")
    ] = 1502,
    serial: Annotated[
        bool,
        typer.Option("--serial", help="The device speaks RTU over TCP."),
    ] = False,
    writes: Annotated[
        bool, typer.Option("--writes", help="Let other programs write, too.")
    ] = False,
) -> None:
    """Share a device that accepts one connection with several programs, until Ctrl-C.

    Without --writes the programs can only read.
    """
    import asyncio

    from luna.drivers.proxy import DeviceProxy, ProxyPort
    from luna.drivers.sharing import DeviceAddress
    from luna.energy.refusals import refuse
    from luna.platform.settings import load_settings

    async def serve() -> None:
        proxy_port = ProxyPort(DeviceAddress(host, port, serial), listen, listen_port, writes)
        proxy = DeviceProxy(proxy_port, load_settings().data_folder)
        try:
            opened_port = await proxy.start()
        except OSError as error:
            raise refuse("device-port-taken", field="--listen-port", value=listen_port) from error
        _print_plain(f"{host}:{port} answers at {listen}:{opened_port}; Ctrl-C ends it.")
        await asyncio.Event().wait()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
    out.print("It has ended.")


def _via(host: str, profile: str, *, secret: str | None = None, **parts: object) -> "Via":
    """Build the connection of a device.

    A typed password is stored in a file, which the connection names.
    """
    from luna.drivers.device_secrets import store_device_secret
    from luna.energy.devices.commands import Via
    from luna.energy.site import invalid_input
    from luna.platform.settings import load_settings

    document = {
        "profile": profile,
        "host": host,
        "secret": None if secret == TYPED else secret,
        **parts,
    }
    try:
        via = Via.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc
    if secret != TYPED:
        return via
    stored = store_device_secret(_type_secret(), host, load_settings().data_folder)
    return via.model_copy(update={"secret": stored})


def _print_plain(sentence: str) -> None:
    out.print(sentence, markup=False, highlight=False)


def _type_secret() -> "DeviceSecret":
    """Prompt for user and password; without a terminal read them from standard input."""
    from luna.drivers.device_secrets import DeviceSecret, parse_device_secret
    from luna.energy.refusals import refuse

    if sys.stdin.isatty():
        user = typer.prompt("User name (empty: none)", default="", show_default=False, err=True)
        return DeviceSecret(
            user.strip(), typer.prompt("Password or token", hide_input=True, err=True)
        )
    text = sys.stdin.read().strip()
    if not text:
        raise refuse("device-secret-missing", field="--secret", value=TYPED, path="/dev/stdin")
    return parse_device_secret(text)


@contextmanager
def _reach(via: "Via") -> "Iterator[ProfiledDevice]":
    from luna.drivers.profiled_device import reach_device
    from luna.platform.settings import load_settings

    with closing(reach_device(via, load_settings().data_folder)) as device:
        yield device


def _say(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:g}"


def _say_fault(fault: "ImplausibleReading") -> str:
    from luna.drivers.readings import READING_UNITS

    return say_implausible(
        fault.name, fault.cause, fault.value, unit=READING_UNITS[fault.name], language="en"
    )


def _plain_fault(fault: "ImplausibleReading") -> dict[str, object]:
    return {
        "reading": fault.name,
        "cause": fault.cause,
        "value": fault.value if math.isfinite(fault.value) else None,
    }


def _plain(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}
