"""Containers of docker-compose.yml, in the words that the manifests share."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

ROOT = Path(__file__).resolve().parents[2]
# The recorder alone writes its spool, one process alone receives the write-ahead log,
# one beat sends what is due, one executor and one steering tell a device what to do,
# charge points connect to one ocpp; home-assistant would tell everything twice.
SINGLE = frozenset({"backup", "beat", "executor", "home-assistant", "ocpp", "recorder", "steering"})
# What is needed for as long as a pod works on something: a new one begins with an empty folder of
# its own, as large in gibibytes.
TRANSIENT = {"reading": 5}
# What waits for the migration runs this first: a cluster starts everything at once.
AWAIT_SCHEMA = ("python", "-m", "luna.platform.health.schema")
# What stands in the way of a cluster's own: its ingress, its monitoring, its way to run a command.
_LEFT_OUT = frozenset({"preflight", "cli"})
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::[-?](?P<default>[^}]*))?\}")

Kind = Literal["once", "worker", "gateway", "store"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that an operator may set: its name and its default."""

    name: str
    default: str


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume by its name, or a file or folder of the repository, and where it is seen."""

    source: str
    path: str

    @property
    def is_volume(self) -> bool:
        """Whether it keeps data."""
        return not self.is_file and self.source not in TRANSIENT

    @property
    def is_file(self) -> bool:
        """Whether it comes from the repository."""
        return self.source.startswith(".")

    def read_files(self) -> dict[str, str]:
        """Return the contents of what is mounted from the repository, by file name."""
        place = ROOT / self.source
        return {
            file.name: file.read_text(encoding="utf-8")
            for file in (sorted(place.iterdir()) if place.is_dir() else [place])
        }


@dataclass(frozen=True, slots=True)
class Workload:
    """One container of the platform."""

    name: str
    kind: Kind
    content: Mapping[str, Any]

    @property
    def image(self) -> str:
        """The image with its default version."""
        return fill(self.content["image"])

    @property
    def is_ours(self) -> bool:
        """Whether the image is built from this repository."""
        return self.image.startswith("luna-")

    @property
    def environment(self) -> dict[str, str | Variable]:
        """Environment variables of the process."""
        return {
            key: _read_value(str(value))
            for key, value in self.content.get("environment", {}).items()
        }

    @property
    def secrets(self) -> dict[str, str]:
        """Paths of the secrets, by name."""
        named = [
            {"source": each, "target": f"/run/secrets/{each}"} if isinstance(each, str) else each
            for each in self.content.get("secrets", [])
        ]
        return {each["source"]: each["target"] for each in named}

    @property
    def networks(self) -> tuple[str, ...]:
        """Networks of the container."""
        return tuple(self.content.get("networks", ()))

    @property
    def mounts(self) -> list[Mount]:
        """Volumes, and what comes from the repository.

        What is only read of another's volume is there on one machine alone.
        """
        named = [text.split(":") for text in self.content.get("volumes", [])]
        return [
            mount
            for source, path, *options in named
            if (mount := Mount(source, path)).is_file or "ro" not in options
        ]

    @property
    def is_alone(self) -> bool:
        """Whether it never runs twice.

        It is one of a kind, or the only one that mounts its volume.
        """
        return (
            self.name in SINGLE
            or self.kind == "store"
            or any(mount.is_volume for mount in self.mounts)
        )

    @property
    def follows_migration(self) -> bool:
        """Whether it needs the tables of its own version."""
        return "migrate" in self.content.get("depends_on", {})

    @property
    def scratch(self) -> dict[str, str]:
        """Folders in memory, with their sizes."""
        return {
            path: re.findall(r"size=(\w+)", options)[0]
            for path, _, options in (text.partition(":") for text in self.content.get("tmpfs", []))
        }

    @property
    def limits(self) -> dict[str, Any]:
        """Bounds of memory, processor and processes."""
        return {
            key: fill(str(value))
            for key, value in self.content["deploy"]["resources"]["limits"].items()
        }

    @property
    def grace_s(self) -> int:
        """Seconds that it may take to end."""
        return int(str(self.content.get("stop_grace_period", "30s")).removesuffix("s"))

    @property
    def health_port(self) -> int | None:
        """Port of its health and metrics."""
        command = list(self.content.get("command", ()))
        return (
            8080
            if self.kind == "gateway"
            else int(command[command.index("--health-port") + 1])
            if "--health-port" in command
            else None
        )

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that a worker takes tasks from."""
        command = list(self.content.get("command", ()))
        if "luna.platform.queue.worker" not in command:
            return ()
        service = command[3]
        only = command[command.index("--only") + 1] if "--only" in command else ""
        return {"interactive": (f"{service}.interactive",), "jobs": (service,)}.get(
            only, (service, f"{service}.interactive")
        )

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for what it does, so that one of two has to be there."""
        return self.kind == "gateway" or (
            self.name not in SINGLE and any(queue.endswith(".interactive") for queue in self.queues)
        )


def read_workloads() -> list[Workload]:
    """Return every container that the platform runs without a profile, in the file's order."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    services = yaml.load(text, Loader=yaml.CSafeLoader)["services"]
    return [
        Workload(name, _kind(name, each), each)
        for name, each in services.items()
        if "profiles" not in each and name not in _LEFT_OUT
    ]


def fill(text: str) -> str:
    """Return a value with the default of each variable in it."""
    return _VARIABLE.sub(lambda found: found["default"] or "", text)


def unescape(words: Sequence[str]) -> list[str]:
    """Return a command as its process sees it."""
    return [word.replace("$$", "$") for word in words]


def _kind(name: str, content: Mapping[str, Any]) -> Kind:
    if content.get("restart", "").startswith("on-failure"):
        return "once"
    if name == "api":
        return "gateway"
    return "worker" if content["image"].startswith("luna-") else "store"


def _read_value(text: str) -> str | Variable:
    found = _VARIABLE.fullmatch(text)
    return Variable(found["name"], found["default"] or "") if found else fill(text)
