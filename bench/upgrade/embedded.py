"""Luna without containers in an owner's copy: ``luna up``, updated and taken back by the commands
of docs/operations.md.
"""

import json
import signal
import subprocess
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg

from bench.upgrade.content import PASSWORD, PERSON, SCOPES
from bench.upgrade.release import Copy
from tests.support.worker.processes import free_port

START_SECONDS = 300.0
END_SECONDS = 90.0


class Embedded:
    """``luna up`` of an owner's copy, its data in ``folder``."""

    def __init__(self, copy: Copy, folder: Path) -> None:
        port = free_port()
        settings = {
            "LUNA_DATA_FOLDER": str(folder),
            "LUNA_API_PORT": str(port),
            "LUNA_REQUESTS_PER_MINUTE": "1000000",
            "LUNA_SOLVES_PER_MINUTE": "1000000",
            # The demo's year is some years old.
            "LUNA_FORECAST_RETENTION": "P9999D",
        }
        self.copy = Copy(copy.folder, settings)
        self.url = f"http://127.0.0.1:{port}"
        self.key = ""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Install and start, and add a person with a key."""
        self._up()
        password = self.copy.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        self.luna("user", "add", PERSON, "--role", "admin", "--password-file", str(password))
        scopes = [word for scope in SCOPES for word in ("--scope", scope)]
        self.key = str(
            json.loads(self.luna("key", "add", "upgrade", "--user", PERSON, *scopes, "--json"))[
                "key"
            ]
        )

    def luna(self, *words: str) -> str:
        """Return what a command of Luna's says."""
        return self.copy.run(".venv/bin/luna", *words)

    def ask(self, query: str) -> list[list[str]]:
        """Return the database's rows, each value as text."""
        state = json.loads((self._folder / "servers/servers.json").read_text(encoding="utf-8"))
        address = (
            f"postgresql://luna:{quote(state['password'], safe='')}"
            f"@127.0.0.1:{state['ports']['postgres']}/postgres?sslmode=disable"
        )
        with psycopg.connect(
            address, connect_timeout=15, autocommit=True, options="-c timezone=UTC"
        ) as connection:
            return [[str(value) for value in row] for row in connection.execute(query.encode())]

    def list_objects(self) -> dict[str, str]:
        """Return the checksum of each object that documents and models are."""
        folder = self._folder / "objects"
        return {
            str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file()
        }

    def back_up(self) -> str:
        """Make a backup and return its id."""
        return str(json.loads(self.luna("backup", "create", "--json"))["backup"])

    def update(self, commit: str) -> None:
        """Update to a commit."""
        self.end()
        self.copy.check_out(commit)
        self._up()

    def go_back(self, commit: str, backup: str) -> None:
        """Go back to a commit and the backup that was made by it, which the newer release
        restores.
        """
        self.end()
        self.luna("backup", "restore", "--at", backup, "--as-it-was")
        self.copy.check_out(commit)
        self._up()

    def end(self) -> None:
        """End it as Ctrl-C does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(END_SECONDS)
            self._process = None

    def remove(self) -> None:
        """End it, whatever it does."""
        with suppress(subprocess.TimeoutExpired):
            self.end()
        if self._process is not None:
            self._process.kill()

    def _up(self) -> None:
        self.copy.run("make", "setup-core")
        with (self.copy.folder / "up.log").open("ab") as log:
            self._process = subprocess.Popen(
                [".venv/bin/luna", "up"],
                cwd=self.copy.folder,
                env=self.copy.full_environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Luna is not ready; {self.copy.folder}/up.log says why")
            time.sleep(0.2)

    def _is_ready(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health/ready", timeout=5, trust_env=False).is_success
        return False
