"""The containers of docker-compose.yml under a project name, ports, secrets and images of their
own.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import yaml

from tests.support.worker.processes import free_port

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "var/compose-test"
JOBS = {"preflight", "migrate", "buckets"}
APP_IMAGE = "luna-app:0.0.0-test"
# Shares of a processor: with little of one, what takes a moment can be hurt in its middle.
SLOW = 0.03
FAST = 1
# Run inside a container: signals the service's process, which is the first process's child, or
# those that it has forked.
SIGNAL = """
import os, sys
number, whose = int(sys.argv[1]), sys.argv[2]
for entry in filter(str.isdigit, os.listdir("/proc")):
    try:
        parent = int(open(f"/proc/{entry}/stat").read().rpartition(")")[2].split()[1])
    except OSError:
        continue
    if parent and (parent == 1) == (whose == "service"):
        os.kill(int(entry), number)
"""


@dataclass
class Stack:
    """One running copy of the platform.

    Args:
        project: name of containers, networks and volumes.
        folder: where its environment file and secrets lie.
        api_port, grafana_port: what it publishes on 127.0.0.1.
    """

    project: str
    folder: Path
    api_port: int = field(default_factory=free_port)
    grafana_port: int = field(default_factory=free_port)
    _key: str = field(default="", init=False)

    def prepare(self) -> None:
        """Write the environment file and make the secrets, as an owner would."""
        self.folder.mkdir(parents=True, exist_ok=True)
        given = {
            "LUNA_API_PORT": self.api_port,
            "LUNA_GRAFANA_PORT": self.grafana_port,
            "LUNA_VERSION": "0.0.0-test",
            "LUNA_SECRETS_FOLDER": self.folder / "secrets",
            "COMPOSE_PROJECT_NAME": self.project,
        }
        lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.partition("=")[0] not in given]
        self.env_file.write_text(
            "\n".join([*kept, *(f"{name}={value}" for name, value in given.items())]) + "\n",
            encoding="utf-8",
        )
        # Tests ask more often than anybody at home.
        often = {"LUNA_REQUESTS_PER_MINUTE": "1000000", "LUNA_SOLVES_PER_MINUTE": "1000000"}
        changed: dict[str, dict[str, Any]] = {"api": {"environment": often}}
        # Built while browsers test pages, which drop what they load where interfaces of a build's
        # own network come and go.
        described = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))[
            "services"
        ]
        for service in (name for name, what in described.items() if "build" in what):
            changed.setdefault(service, {})["build"] = {"network": "host"}
        self._override.write_text(json.dumps({"services": changed}), encoding="utf-8")
        run("infra/make-secrets", str(self.env_file))

    @property
    def env_file(self) -> Path:
        """The settings of this copy."""
        return self.folder / "env"

    @property
    def _override(self) -> Path:
        return self.folder / "override.json"

    def compose(self, *words: str, check: bool = True, timeout: float = 600) -> str:
        """Return what ``docker compose`` says on standard output."""
        return run(
            "docker",
            "compose",
            "-f",
            "docker-compose.yml",
            "-f",
            str(self._override),
            "--env-file",
            str(self.env_file),
            "-p",
            self.project,
            *words,
            check=check,
            timeout=timeout,
        )

    def up(self, *services: str) -> float:
        """Start everything, or these services and what they need.

        Return the seconds until all of it is healthy.
        """
        begun = time.monotonic()
        self.compose("up", "-d", "--wait", "--no-build", *services)
        return time.monotonic() - begun

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self._key = ""

        def gone() -> bool:
            # Compose warns of a volume that the engine still counts as used, a moment after its
            # last container, and leaves it there.
            self.compose(
                "--profile",
                "*",
                "down",
                "--volumes",
                "--remove-orphans",
                "--timeout",
                "0",
                check=False,
            )
            return self.list_remains() == []

        wait_for(gone, seconds=120, what="nothing of the platform is left", seen=self.list_remains)

    def list_remains(self) -> list[str]:
        """Return the containers and volumes that there are of this copy.

        A network is not among them: the engine can count the end of a killed container as used for
        as long as it runs itself, and the next ``up`` takes such a network as it is.
        """
        mine = ("--filter", f"label=com.docker.compose.project={self.project}", "--format")
        listings = (("ps", "-a", *mine, "{{.Names}}"), ("volume", "ls", *mine, "{{.Name}}"))
        return [name for words in listings for name in run("docker", *words).split()]

    def start(self, *services: str, scale: int = 1) -> None:
        """Have so many healthy containers of each service, as the file says.

        What they need is there already, and is left alone.
        """
        scales = [word for service in services for word in ("--scale", f"{service}={scale}")]
        self.compose("up", "-d", "--wait", "--no-build", "--no-deps", *scales, *services)

    def restore(self) -> None:
        """Have one healthy container of every service, whatever was stopped, doubled or made
        otherwise. Jobs that have ended are not run anew.
        """
        services = [
            service
            for service in self.compose("config", "--services").split()
            if service not in JOBS
        ]

        def started() -> bool:
            try:
                self.start(*services)
            except RuntimeError as error:
                # Compose gives up at once on a container that is not well just now, and may be on
                # its way back.
                if "is unhealthy" not in str(error):
                    raise
                return False
            return True

        wait_for(started, seconds=180, what="every container is healthy")

    @contextmanager
    def running(self, *services: str) -> Iterator[float]:
        """Run everything, or these services and what they need, while a block runs, with the
        seconds until all of it was healthy; keep what it said.
        """
        self.prepare()
        self.down()
        try:
            yield self.up(*services)
        finally:
            self.save_logs(RESULTS / f"{self.project}.txt")
            self.down()

    def containers(self) -> list[dict[str, Any]]:
        """Return every container of the project, also those that have ended."""
        said = self.compose("ps", "-a", "--format", "json")
        return [json.loads(line) for line in said.splitlines()]

    def container(self, service: str) -> str:
        """Return the id of a service's first container."""
        return self.ids(service)[0]

    def ids(self, service: str) -> list[str]:
        """Return the ids of a service's containers, also of those that have ended.

        The engine knows them, and Compose would read its file first.
        """
        label = "com.docker.compose"
        sought = {
            f"{label}.project": self.project,
            f"{label}.service": service,
            f"{label}.oneoff": "False",
        }
        filters = [
            word for name, value in sought.items() for word in ("--filter", f"label={name}={value}")
        ]
        said = run(
            "docker",
            "ps",
            "-a",
            *filters,
            "--format",
            f'{{{{.Label "{label}.container-number"}}}} {{{{.ID}}}}',
        )
        return [words[1] for words in sorted(line.split() for line in said.splitlines())]

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of a service's first container."""
        document: dict[str, Any] = json.loads(run("docker", "inspect", self.container(service)))[0]
        return document

    def health(self, service: str) -> str:
        """Return what a container's own check says: starting, healthy or unhealthy."""
        return str(self.inspect(service)["State"]["Health"]["Status"])

    def execute(self, service: str, *words: str, check: bool = True) -> str:
        """Run a command inside a service's container and return what it says."""
        return run("docker", "exec", self.container(service), *words, check=check, timeout=120)

    def python(self, service: str, text: str) -> str:
        """Run a Python text inside a container of Luna's."""
        return self.execute(service, "python", "-c", text).strip()

    def sql(self, statement: str) -> str:
        """Return the answer of the database, without headings."""
        return self.execute(
            "db", "psql", "-U", "postgres", "-d", "luna", "-At", "-c", statement
        ).strip()

    def signal(
        self, service: str, number: int, *, whose: Literal["service", "children"] = "service"
    ) -> None:
        """Send a signal to a service's process or to the processes that it has forked."""
        self.execute(service, "python", "-c", SIGNAL, str(int(number)), whose)

    def image(self, service: str) -> str:
        """Return the image that the compose file names."""
        return str(
            json.loads(self.compose("--profile", "*", "config", "--format", "json"))["services"][
                service
            ]["image"]
        )

    def slow_down(self, service: str, cpus: float) -> None:
        """Give a service's containers another share of the processors, so that what takes a moment
        can be hurt in its middle.
        """
        run("docker", "update", "--cpus", f"{cpus:g}", *self.ids(service))

    def services(self) -> dict[str, dict[str, Any]]:
        """Return what the gateway tells of every service, by name."""
        with self.client() as client:
            return {
                service["service"]: service
                for service in client.get("/health/services").raise_for_status().json()["services"]
            }

    def client(self) -> httpx.Client:
        """Return a client of the gateway with a key of its admin, through its published port."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.api_port}",
            timeout=60,
            headers={"Authorization": f"Bearer {self.key()}"},
        )

    def key(self) -> str:
        """Return a key of the first user, made once the containers run."""
        if not self._key:
            scopes = [
                word
                for scope in ("read", "analyse", "operate", "data", "configure", "administer")
                for word in ("--scope", scope)
            ]
            said = self.compose(
                "run",
                "--rm",
                "-T",
                "cli",
                "luna",
                "key",
                "add",
                "tests",
                "--user",
                "admin",
                *scopes,
                "--json",
            )
            self._key = str(json.loads(said)["key"])
        return self._key

    def secret(self, name: str) -> str:
        """Return a secret of this copy."""
        return (self.folder / "secrets" / name).read_text(encoding="utf-8").strip()

    def save_logs(self, path: Path) -> None:
        """Write what every container has said."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            self.compose("logs", "--no-color", "--timestamps", check=False), encoding="utf-8"
        )


def build_images(stack: Stack) -> None:
    """Build Luna's own images, as the file says."""
    stack.compose("build", "--quiet", timeout=1800)


def build_app(folder: Path) -> None:
    """Build the app of Home Assistant from the repository of apps that owners get."""
    run(str(ROOT / "infra/home-assistant/assemble"), str(folder))
    run(
        "docker",
        "build",
        "--network",
        "host",
        "--tag",
        APP_IMAGE,
        str(folder / "luna"),
        timeout=1200,
    )


def start_engine(stack: Stack) -> None:
    """Make sure that Docker runs and that the images the file names can be had.

    ``LUNA_TESTBED`` names a folder whose programs see to both.
    """
    testbed = os.environ.get("LUNA_TESTBED")
    if testbed:
        run(f"{testbed}/engine", timeout=900)
        run(
            f"{testbed}/images",
            "-f",
            "docker-compose.yml",
            environment={"COMPOSE_ENV_FILES": str(stack.env_file)},
            timeout=1800,
        )
    elif shutil.which("docker") is None:
        raise RuntimeError(
            "These tests need Docker. Install it, or run the others alone: make test"
        )
    run("docker", "info", "--format", "{{.ServerVersion}}")


def run(
    *words: str,
    check: bool = True,
    timeout: float = 600,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Return what a program says on standard output.

    Where it fails, raise with what it said on the other.
    """
    ended = subprocess.run(
        words,
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
    )
    if check and ended.returncode:
        raise RuntimeError(
            f"{' '.join(words)} ended with {ended.returncode}:\n{ended.stdout[-2000:]}\n"
            f"{ended.stderr[-4000:]}"
        )
    return ended.stdout


def wait_for(
    condition: Callable[[], bool],
    *,
    seconds: float,
    what: str,
    seen: Callable[[], object] | None = None,
) -> float:
    """Wait until ``condition`` holds.

    Return the seconds it took. Where it never does, the error says what is ``seen`` in its place.
    """
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise AssertionError(
                f"not within {seconds:g} s: {what}{f'; instead: {seen()}' if seen else ''}"
            )
        time.sleep(0.25)
    return time.monotonic() - begun
