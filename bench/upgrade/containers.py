"""The containers of an owner's copy: started, updated and taken back by the commands of
docs/operations.md.
"""

import json
import os
import re

from bench.upgrade.content import PASSWORD, PERSON, SCOPES
from bench.upgrade.release import Copy, run
from tests.support.worker.processes import free_port

PROJECT = "luna-upgrade"
IMAGES = "0.0.0-upgrade"
UP = ("docker", "compose", "up", "-d", "--build", "--wait")


class Containers:
    """The containers of an owner's copy."""

    def __init__(self, copy: Copy) -> None:
        self.copy = copy
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = ""

    def start(self) -> None:
        """Make settings and secrets and start everything, as docs/operations.md says."""
        self.copy.run("cp", ".env.example", ".env")
        given = {
            "COMPOSE_PROJECT_NAME": PROJECT,
            "COMPOSE_PROFILES": "",
            "LUNA_VERSION": IMAGES,
            "LUNA_API_PORT": self.port,
            "LUNA_GRAFANA_PORT": free_port(),
            # The demo's year is some years old.
            "LUNA_FORECAST_RETENTION": "P9999D",
        }
        env = self.copy.folder / ".env"
        env.write_text(
            env.read_text(encoding="utf-8")
            + "".join(f"{name}={value}\n" for name, value in given.items()),
            encoding="utf-8",
        )
        # Callers ask more often than anybody at home.
        often = {"LUNA_REQUESTS_PER_MINUTE": "1000000", "LUNA_SOLVES_PER_MINUTE": "1000000"}
        # MinIO's check is a program of its own: where everything starts at once on a busy machine,
        # that takes longer than five seconds.
        override = {
            "services": {
                "api": {"environment": often},
                "minio": {"healthcheck": {"timeout": "30s"}},
            }
        }
        (self.copy.folder / "docker-compose.override.yml").write_text(
            json.dumps(override), encoding="utf-8"
        )
        self.copy.run("make", "secrets")
        self._provide_images()
        self.copy.run(*UP)
        self._add_people()

    def _provide_images(self) -> None:
        if testbed := os.environ.get("LUNA_TESTBED"):
            run([f"{testbed}/engine"], self.copy.folder)
            self.copy.run(f"{testbed}/images", "-f", "docker-compose.yml")

    def _add_people(self) -> None:
        password = self.copy.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        password.chmod(0o444)
        self.luna(
            "user", "add", PERSON, "--password-file", "/password", volume=f"{password}:/password:ro"
        )
        scopes = [word for scope in SCOPES for word in ("--scope", scope)]
        self.key = str(
            json.loads(self.luna("key", "add", "upgrade", "--user", "admin", *scopes, "--json"))[
                "key"
            ]
        )

    def luna(self, *words: str, volume: str = "") -> str:
        """Return what a command of Luna's says, in a container of its own."""
        return self.copy.run(
            "docker",
            "compose",
            "run",
            "--rm",
            "-T",
            *(("--volume", volume) if volume else ()),
            "cli",
            "luna",
            *words,
        )

    def ask(self, query: str) -> list[list[str]]:
        """Return the database's rows, each value as text."""
        words = (
            "docker",
            "compose",
            "exec",
            "-T",
            "-e",
            "PGTZ=UTC",
            "db",
            "psql",
            "-U",
            "postgres",
            "-d",
            "luna",
            "-AtqF",
            "\t",
            "-c",
            query,
        )
        return [line.split("\t") for line in self.copy.run(*words).splitlines()]

    def list_objects(self) -> dict[str, str]:
        """Return the checksum of each object that documents and models are."""
        # The release before may be one whose kernel had no rooms.
        text = (
            "import hashlib, json; from importlib import import_module; from "
            "importlib.util import find_spec;"
            " kernel = 'luna.platform' if find_spec('luna.platform') else 'luna';"
            " objects, settings = (import_module(f'{kernel}.{name}') for name in "
            "('objects', 'settings'));"
            " store = objects.open_objects(settings.load_settings());"
            " print(json.dumps({each.key: hashlib.sha256(store.get(each.key)).hexdigest() "
            "for each in store.list_all()}))"
        )
        found: dict[str, str] = json.loads(
            self.copy.run("docker", "compose", "exec", "-T", "backup", "python", "-c", text)
        )
        return {key: digest for key, digest in found.items() if not key.startswith("logs/")}

    def back_up(self) -> str:
        """Make a backup and return its id."""
        return str(
            re.findall(r"^(\S+): \d+ rows", self.copy.run("make", "backup"), re.MULTILINE)[-1]
        )

    def build(self) -> None:
        """Build the images of the files that are there, while others run."""
        self.copy.run("docker", "compose", "build", "--quiet")

    def migrate(self) -> None:
        """Bring the schema up to date as the update does, under the containers that run."""
        self.copy.run("docker", "compose", "run", "--rm", "-T", "--no-deps", "migrate")

    def update(self, commit: str) -> None:
        """Update to a commit."""
        self.copy.check_out(commit)
        self.copy.run(*UP)

    def go_back(self, commit: str, backup: str) -> None:
        """Go back to a commit and the backup that was made by it."""
        self.copy.check_out(commit)
        self.build()
        self.copy.run("make", "restore", f"AT={backup}")

    def save_log(self) -> None:
        """Write what every container has said."""
        self.copy.run(
            "sh",
            "-c",
            "docker compose logs --no-color --timestamps > containers.log 2>&1",
            check=False,
        )

    def remove(self) -> None:
        """Remove containers, networks, volumes and images."""
        self.save_log()
        self.copy.run(
            "docker",
            "compose",
            "--profile",
            "*",
            "down",
            "--volumes",
            "--remove-orphans",
            "--timeout",
            "0",
            check=False,
        )
        images = run(
            ["docker", "image", "ls", "-q", f"luna-*:{IMAGES}"], self.copy.folder, check=False
        ).split()
        run(
            ["docker", "image", "rm", "--force", *sorted(set(images))],
            self.copy.folder,
            check=False,
        )
