"""Create, configure and start the embedded servers: PostgreSQL and Redis."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from luna.energy.errors import MachineError
from luna.platform.embedded.account import Account, folder_error, make_private_folder, options_for
from luna.platform.embedded.process import Launch, explain_failure
from luna.platform.embedded.replacement import CLUSTER, finish_replacement
from luna.platform.embedded.state import HOST
from luna.platform.memory import affordable_processes

USER = "luna"
DATABASE = "postgres"
INIT_SECONDS = 120
# For a small machine: 64 MB of cache, few connections, and every commit on disk before it is
# confirmed.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "50",
    "shared_buffers": "64MB",
    "maintenance_work_mem": "64MB",
    "synchronous_commit": "on",
    "wal_compression": "on",
    # Bounds the write-ahead log that the slot of a stopped backup retains.
    "max_slot_wal_keep_size": "1GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# With memory for a single job: unlike the page cache, shared buffers are never given up.
SPARING = {"shared_buffers": "20MB"}


@dataclass(frozen=True)
class Postgres:
    """One cluster in ``home/postgres``."""

    programs: Path
    home: Path
    account: Account | None
    password: str

    name: ClassVar[str] = "postgres"
    # Fast shutdown rolls back and writes a checkpoint; immediate shutdown recovers at the next
    # start.
    stop_signals: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGINT, signal.SIGQUIT)

    def prepare(self) -> None:
        """Create the cluster where there is none: complete or not at all.

        Raises:
            MachineError: the folder cannot be written, the disk is full, or the data belong to
                another major version.
        """
        finish_replacement(self.home)
        if self._data.exists():
            version = subprocess.run(
                [self.programs / "postgres", "--version"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            written_by = (self._data / "PG_VERSION").read_text(encoding="utf-8").strip()
            if f" {written_by}." not in version and f" {written_by}\n" not in version:
                message = (
                    f"these data were written by PostgreSQL {written_by}, and the program here "
                    f"is {version.strip()}"
                )
                raise MachineError(
                    message,
                    field="postgres",
                    value=str(self._data),
                    remedy=f"Install PostgreSQL {written_by}, or move the folder away.",
                )
            return
        unfinished = self.home / f"{CLUSTER}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_private_folder(unfinished, self.account)
        self._initialise(unfinished)
        try:
            unfinished.rename(self._data)
        except OSError as exc:
            raise folder_error(self._data, exc) from exc

    def launch(self, port: int) -> Launch:
        self._drop_stale_pid()
        settings = SETTINGS | (SPARING if affordable_processes() == 1 else {})
        options: list[str] = []
        for name, value in settings.items():
            options += ["-c", f"{name}={value}"]
        program = str(self.programs / "postgres")
        return Launch([program, "-D", str(self._data), "-p", str(port), *options], self.account)

    def answers(self, port: int) -> bool:
        """Return whether the server accepts our password.

        Scram hides it from another program on this port.
        """
        import psycopg

        address = self.url(port).replace("+psycopg", "", 1)
        try:
            psycopg.connect(address, connect_timeout=2, require_auth="scram-sha-256").close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, port: int) -> str:
        # Without sslmode the client reads certificates from a home folder that may be another
        # user's.
        return (
            f"postgresql+psycopg://{USER}:{quote(self.password, safe='')}@{HOST}:{port}/"
            f"{DATABASE}?sslmode=disable"
        )

    @property
    def _data(self) -> Path:
        return self.home / CLUSTER

    def _initialise(self, data: Path) -> None:
        password_file = self.home / "password.new"
        password_file.unlink(missing_ok=True)
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.password)
        if self.account is not None:
            os.chown(password_file, self.account.uid, self.account.gid)
        # The C.UTF-8 locale is glibc's; elsewhere plain C orders the same way.
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        command: list[str | Path] = [
            self.programs / "initdb",
            "-D",
            data,
            "-U",
            USER,
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
        ]
        command += ["--encoding=utf8", f"--locale={locale}", "--data-checksums"]
        try:
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                timeout=INIT_SECONDS,
                **options_for(self.account),
            )
        except subprocess.CalledProcessError as exc:
            shutil.rmtree(data, ignore_errors=True)
            raise explain_failure(
                "PostgreSQL's data folder could not be created",
                exc.stderr.decode(errors="replace"),
                self.home,
            ) from exc
        finally:
            password_file.unlink(missing_ok=True)

    def _drop_stale_pid(self) -> None:
        # After a crash the pid in the file may be another program's by now, and PostgreSQL would
        # refuse to start for ever.
        path = self._data / "postmaster.pid"
        if not path.exists():
            return
        pid = path.read_text(encoding="utf-8").split("\n", 1)[0]
        owner = subprocess.run(
            ["ps", "-o", "comm=", "-p", pid], check=False, capture_output=True, text=True
        ).stdout
        if owner.strip() and "postgres" not in owner:
            path.unlink()


@dataclass(frozen=True)
class Redis:
    """One server in ``home/redis``; its append-only file keeps what it confirmed."""

    program: Path
    home: Path
    account: Account | None
    password: str

    name: ClassVar[str] = "redis"
    stop_signals: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGTERM, signal.SIGKILL)

    def prepare(self) -> None:
        make_private_folder(self._data, self.account)

    def launch(self, port: int) -> Launch:
        settings = {
            "bind": HOST,
            "port": str(port),
            "dir": f'"{self._data}"',
            "requirepass": self.password,
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "save": '""',
            "daemonize": "no",
        }
        # Over standard input, so that the password is in no file and no process list.
        lines = "".join(f"{name} {value}\n" for name, value in settings.items())
        return Launch([str(self.program), "-"], self.account, lines.encode())

    def answers(self, port: int) -> bool:
        from redis import Redis as Client
        from redis import RedisError

        with Client(
            host=HOST, port=port, password=self.password, socket_connect_timeout=2, socket_timeout=2
        ) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    def url(self, port: int) -> str:
        return f"redis://:{quote(self.password, safe='')}@{HOST}:{port}/0"

    @property
    def _data(self) -> Path:
        return self.home / "redis"
