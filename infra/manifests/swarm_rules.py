"""Rules of a swarm for a stack, beyond its schema.

Each rule takes the stack and returns what is wrong, in words; nothing where all is well.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.manifests.rules import SCHEMA_WAIT
from infra.manifests.workloads import ROOT

Stack = Mapping[str, Any]
_PLACE = ROOT / "infra/swarm"
_BYTES = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def find_faults(stack: Stack) -> list[str]:
    """Return what every rule finds."""
    return [fault for rule in RULES for fault in rule(stack)]


def find_repeated_places(stack: Stack) -> list[str]:
    """A port is published once, and in each container a path is mounted once."""
    published = Counter(
        port.rpartition(":")[0] for each in _services(stack) for port in each["ports"]
    )
    faults = [
        f"{port} is published {count} times" for port, count in published.items() if count > 1
    ]
    for each in _services(stack):
        targets = Counter(
            [target for _, target in _mounts(each)]
            + [given["target"] for given in (*each["secrets"], *each["configs"])]
        )
        faults += [
            f"{each['name']} has {count} things at {target}"
            for target, count in targets.items()
            if count > 1
        ]
    return faults


def find_unresolved_names(stack: Stack) -> list[str]:
    """Networks, volumes, secrets and configs that a service names are the stack's."""
    faults = []
    for each in _services(stack):
        named = {
            "networks": each["networks"],
            "volumes": [source for source, _ in _mounts(each) if source],
            **{kind: [given["source"] for given in each[kind]] for kind in ("secrets", "configs")},
        }
        faults += [
            f"{each['name']} names {name}, which is none of the stack's {kind}"
            for kind in named
            for name in named[kind]
            if name not in stack[kind]
        ]
    return faults


def find_reservations_above_limits(stack: Stack) -> list[str]:
    """No service reserves more than it may have."""
    faults = []
    for each in _services(stack):
        limits, reserved = (
            each["deploy"]["resources"].get(kind, {}) for kind in ("limits", "reservations")
        )
        above = [
            what
            for what in reserved
            if what in limits and _amount(reserved[what]) > _amount(limits[what])
        ]
        faults += [f"{each['name']} reserves more {what} than its limit" for what in above]
    return faults


def find_shared_volumes(stack: Stack) -> list[str]:
    """Check that writers of a volume run once, on its node.

    The old container goes before the new one comes.
    """
    faults = []
    for each in _services(stack):
        deploy = each["deploy"]
        for volume in (source for source, _ in _mounts(each) if source):
            faults += (
                [f"{each['name']} runs {deploy['replicas']} times on the volume {volume}"]
                if deploy["replicas"] > 1
                else []
            )
            faults += (
                [f"{each['name']} may find another node's volume {volume}"]
                if not deploy["placement"].get("constraints")
                else []
            )
            faults += (
                [f"{each['name']} is replaced while the old one has the volume {volume}"]
                if deploy["update_config"]["order"] != "stop-first"
                else []
            )
    return faults


def find_starts_before_migration(stack: Stack) -> list[str]:
    """Check that users of the database wait for the tables of their own image."""
    asking = (
        each
        for each in _services(stack)
        if "LUNA_DATABASE_URL" in each["environment"]
        and each["deploy"]["restart_policy"]["condition"] == "any"
    )
    return [
        f"{each['name']} starts before the migration has ended"
        for each in asking
        if SCHEMA_WAIT not in " ".join(each.get("entrypoint", ()))
    ]


def find_immutable_changes(stack: Stack, place: Path = _PLACE) -> list[str]:
    """Return the configs whose content may change under their name.

    A swarm refuses that; the name says what is in it.
    """
    found = {
        name: hashlib.sha256((place / each["file"]).read_bytes()).hexdigest()[:8]
        for name, each in stack["configs"].items()
    }
    return [
        f"the config {name} keeps its name when its content changes"
        for name in found
        if not stack["configs"][name].get("name", "").endswith(found[name])
    ]


RULES: tuple[Callable[[Stack], list[str]], ...] = (
    find_repeated_places,
    find_unresolved_names,
    find_reservations_above_limits,
    find_shared_volumes,
    find_starts_before_migration,
    find_immutable_changes,
)


def _services(stack: Stack) -> Iterator[Stack]:
    """Return every service with its name and all lists that the rules read."""
    empty: dict[str, Any] = {
        "ports": [],
        "secrets": [],
        "configs": [],
        "networks": [],
        "volumes": [],
        "environment": {},
    }
    return ({**empty, **each, "name": name} for name, each in stack["services"].items())


def _mounts(service: Stack) -> Iterator[tuple[str, str]]:
    """Return source and target of each mount.

    The source is empty where it goes with the container.
    """
    for each in service["volumes"]:
        source, target = (
            each.split(":")[:2]
            if isinstance(each, str)
            else (each.get("source", ""), each["target"])
        )
        yield source, target


def _amount(text: str | float) -> float:
    found = re.fullmatch(r"([\d.]+)\s*([bkmg]?)b?", str(text).lower())
    if found is None:
        raise ValueError(f"{text} is no amount")
    return float(found[1]) * _BYTES[found[2]]
