"""Redis as one of the embedded servers."""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from luna.embedded.account import Account, make_private_folder
from luna.embedded.process import Launch
from luna.embedded.state import HOST


@dataclass(frozen=True)
class Redis:
    """One server with an append-only file in ``home/redis``: what it confirmed survives its death."""

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
        # From standard input, so that the password stands in no file and in no list of processes.
        lines = "".join(f"{name} {value}\n" for name, value in settings.items())
        return Launch([str(self.program), "-"], self.account, lines.encode())

    def answers(self, port: int) -> bool:
        from redis import Redis as Client
        from redis import RedisError

        with Client(host=HOST, port=port, password=self.password, socket_connect_timeout=2, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    def url(self, port: int) -> str:
        return f"redis://:{quote(self.password, safe='')}@{HOST}:{port}/0"

    @property
    def _data(self) -> Path:
        return self.home / "redis"
