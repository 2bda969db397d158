"""PostgreSQL's client programs against the server to back up.

They get the password in their environment only.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from luna.energy.errors import LunaError, MachineError, UnavailableError
from luna.platform.database.engine import parse_address
from luna.platform.embedded.binaries import find_postgres

_WORDS = 600


@dataclass(frozen=True)
class BackedUpServer:
    """A PostgreSQL server by its address, and the folder of the client programs."""

    url: str
    programs: Path

    @classmethod
    def of(cls, url: str) -> "BackedUpServer":
        """Return the server at ``url``.

        Raises:
            MachineError: PostgreSQL's programs are not installed here.
        """
        return cls(url, find_postgres().folder)

    def spawn(
        self,
        program: str,
        *arguments: str | Path,
        output: int | IO[bytes] = subprocess.DEVNULL,
        lock: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a client program against the server, in its own session.

        Ctrl-C reaches the caller alone, which ends it in order.

        Args:
            program: its name.
            arguments: of its command line.
            output: target of its standard output.
            lock: descriptor of a file lock that the program inherits.

        Raises:
            MachineError: it is not installed.
        """
        address = parse_address(self.url)
        facts = {
            "PGHOST": address.host,
            "PGPORT": str(address.port or 5432),
            "PGUSER": address.username,
            "PGPASSWORD": address.password,
            "PGSSLMODE": address.query.get("sslmode"),
            "PGAPPNAME": "luna-backup",
            "PGCONNECT_TIMEOUT": "10",
            "LC_ALL": "C",
        }
        own = os.environ.items()
        environment = {name: value for name, value in own if not name.startswith("PG")}
        environment |= {name: str(value) for name, value in facts.items() if value}
        try:
            return subprocess.Popen(
                [self.programs / program, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE,
                pass_fds=() if lock is None else (lock,),
                start_new_session=True,
            )
        except OSError as exc:
            raise MachineError(
                f"{program} cannot be run: {exc.strerror}",
                value=str(self.programs),
                remedy="Install PostgreSQL's programs.",
            ) from exc


def explain(program: str, words: str) -> LunaError:
    """Return the error for a failed program from its error output."""
    message = " ".join(words.split())[-_WORDS:]
    refusals = ("no pg_hba.conf entry", "permission denied", "must be superuser")
    if any(refusal in message for refusal in refusals):
        remedy = (
            "Let the database's user replicate: ALTER ROLE … REPLICATION, and a line `host "
            "replication` in pg_hba.conf."
        )
        return MachineError(
            f"the database refuses {program}: {message}", field="database_url", remedy=remedy
        )
    return UnavailableError(
        f"{program} ended early: {message}",
        field="database_url",
        remedy="Try again; backups made before are whole.",
    )
