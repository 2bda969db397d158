"""Luna's processes and servers for tests that kill them: killed ones are started again."""

import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from luna.platform.embedded.supervisor import Servers
from tests.support.worker.processes import Process, luna_process


@dataclass(frozen=True)
class ModuleCommand:
    """A module that runs as a process, with its arguments."""

    module: str
    arguments: Sequence[str] = ()


class MortalProcesses:
    """Processes by name, each started again after it was killed; they end with the block.

    ``settings`` are the only settings of Luna's that the processes have.
    """

    def __init__(
        self, commands: dict[str, ModuleCommand], servers: Servers, **settings: str
    ) -> None:
        self._commands = commands
        self._servers = servers
        self._settings = settings
        self._resources = ExitStack()
        self._processes: dict[str, Process] = {}

    def __enter__(self) -> Self:
        for name in self._commands:
            self._start(name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.close()

    @property
    def names(self) -> list[str]:
        """The names of everything that can be killed."""
        return [*self._commands, *self._servers.urls]

    def kill(self, name: str) -> None:
        """Kill a process, or an embedded server, and start it again."""
        if name in self._servers.urls:
            os.kill(server_pid(self._servers.folder, name), signal.SIGKILL)
            self._servers.bring_up([name])
            return
        process = self._processes[name]
        process.kill()
        process.wait(60)
        self._start(name)

    def kill_each_at_random(self, chance: random.Random, *, longest: float) -> None:
        """Kill everything once, in an order and after pauses that are drawn."""
        for name in chance.sample(self.names, len(self.names)):
            time.sleep(chance.uniform(0, longest))
            self.kill(name)

    def _start(self, name: str) -> None:
        command = self._commands[name]
        process = luna_process(command.module, *command.arguments, **self._settings)
        self._processes[name] = self._resources.enter_context(process)


def server_pid(folder: Path, name: str) -> int:
    """Return the process number of an embedded server: it stands in its lock."""
    return int((folder / f"{name}.lock").read_text())
