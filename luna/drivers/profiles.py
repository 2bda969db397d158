"""Load device profiles by name; the owner's own take precedence over packaged ones."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import yaml
from pydantic import ValidationError

from luna.contracts.charge_points import LIMIT_LASTS_S
from luna.drivers import DEVICES_FOLDER
from luna.drivers.profile import DeviceProfile, ProfileKind
from luna.drivers.transports import ModbusTransport
from luna.energy.devices.commands import Via
from luna.energy.errors import InvalidInputError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.site.document import invalid_input

PACKAGED = Path(__file__).parent / "profiles"
# Below the data folder.
OWN_FOLDER = f"{DEVICES_FOLDER}/profiles"
# A profile is two pages at most; larger files are not parsed.
_MOST_BYTES = 200_000
# So that a name of any letters, with its ending, is one of a file.
_LONGEST_NAME = 60


def list_profiles(data_folder: Path | None = None) -> list[DeviceProfile]:
    """Return all profiles by name.

    An owner's profile replaces the packaged one. Without a folder the packaged ones alone.

    Raises:
        InvalidInputError: a file is no valid profile; names the file and the place in it.
    """
    files = _files(data_folder)
    return [_read(files[name], files[name].stat().st_mtime_ns) for name in sorted(files)]


def load_profile(name: str, data_folder: Path) -> DeviceProfile:
    """Return a profile by its name.

    Raises:
        InvalidInputError: there is no such profile, or its file is invalid; names the file and the
            place in it.
    """
    is_name = Path(name).name == name and len(name) <= _LONGEST_NAME
    # Looking at all files takes fifty times as long, and executors look at every turn.
    for folder in (data_folder / OWN_FOLDER, PACKAGED):
        path = folder / f"{name}.yaml"
        if is_name and path.is_file():
            return _read(path, path.stat().st_mtime_ns)
    names = tuple(sorted(_files(data_folder)))
    raise refuse("unknown-name", field="profile", value=name, names=names, thing="profile")


def require_profiles(site: Site, data_folder: Path) -> None:
    """Check that the profile of each commanded device of a site can command it.

    Raises:
        InvalidInputError: the profile is missing or another kind's, the topic prefix is missing, a
            proxy port is declared for a transport without one, or a charger cannot switch phases.
    """
    control = site.control
    if control is None:
        return
    sections: tuple[tuple[str, ProfileKind, Sequence[ProfiledControl]], ...] = (
        ("batteries", "battery_inverter", control.batteries),
        ("vehicles", "charge_point", control.vehicles),
        ("loads", "switched_load", control.loads),
        ("pv", "pv_inverter", () if control.pv is None else (control.pv,)),
    )
    for section, kind, entries in sections:
        for entry in entries:
            if entry.via is not None:
                _require_kind(entry.via, kind, data_folder, field=f"control.{section}.via")
    for vehicle_control in control.vehicles:
        if vehicle_control.via is not None:
            _require_phases(site, vehicle_control.vehicle, vehicle_control.via, data_folder)


class ProfiledControl(Protocol):
    """An entry of a section ``control`` that may name a profile."""

    @property
    def via(self) -> Via | None:
        """Where the device is, None: Luna does not speak to it itself."""


def _require_kind(via: Via, kind: ProfileKind, data_folder: Path, *, field: str) -> None:
    profile = load_profile(via.profile, data_folder)
    if not profile.is_commanded:
        raise refuse("profile-not-commanded", field=f"{field}.profile", value=via.profile)
    if profile.kind != kind:
        raise refuse(
            "profile-other-kind",
            field=f"{field}.profile",
            value=via.profile,
            profile_kind=profile.kind,
            needed=kind,
        )
    if via.prefix is None and profile.needs_prefix:
        raise refuse("device-prefix-missing", field=f"{field}.prefix", profile=via.profile)
    if via.proxy is not None and not isinstance(profile.transport, ModbusTransport):
        raise refuse("profile-not-shared", field=f"{field}.proxy", profile=via.profile)


def _require_phases(site: Site, name: str, via: Via, data_folder: Path) -> None:
    vehicle = next((vehicle for vehicle in site.vehicles if vehicle.name == name), None)
    if vehicle is None or vehicle.charger is None or len(set(vehicle.charger.phases)) < 2:
        return
    if not load_profile(via.profile, data_folder).switches_phases:
        raise refuse("profile-phases-fixed", field="vehicles.charger.phases", value=via.profile)


def _files(data_folder: Path | None) -> dict[str, Path]:
    folders = [PACKAGED]
    if data_folder is not None:
        folders.append(data_folder / OWN_FOLDER)
    files: dict[str, Path] = {}
    for folder in folders:
        files |= {path.stem: path for path in folder.glob("*.yaml")}
    return files


@cache
def _read(path: Path, _changed_ns: int) -> DeviceProfile:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise refuse(
                "profile-unreadable", field=str(path), why=f"larger than {_MOST_BYTES // 1000} kB"
            )
        # As safe as ``safe_load``, which takes a second for all of them.
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        profile = DeviceProfile.model_validate(document)
    except ValidationError as exc:
        error = invalid_input(exc, field="")
        named = InvalidInputError(
            error.message,
            field=f"{path}: {error.field}" if error.field else str(path),
            value=error.value,
            remedy=error.remedy,
        )
        named.because(error.reason, error.parameters)
        raise named from exc
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise refuse("profile-unreadable", field=str(path), why=" ".join(str(exc).split())) from exc
    if profile.profile != path.stem:
        raise refuse("profile-misnamed", field=str(path), value=profile.profile, name=path.stem)
    return profile


def describe_fallback(profile: DeviceProfile) -> str:
    """Return what a device does without Luna, for lists in English."""
    reverts = profile.reverts
    if reverts is None:
        return "–"
    if profile.safe_current_a is not None:
        return f"at most {profile.safe_current_a:g} A after {LIMIT_LASTS_S} s"
    if reverts.after_s is None:
        return "keeps its last command"
    kept = f"; keeps {', '.join(reverts.stays_in)}" if reverts.stays_in else ""
    own = "its own self-consumption" if profile.kind == "battery_inverter" else "its own rule"
    return f"{own} after {reverts.after_s} s{kept}"
