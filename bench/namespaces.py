"""Nodes on one machine: network namespaces on a bridge, each with an address and processes of its own; needs root and ``ip``."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bench.control_groups import ControlGroup, control_group
from luna.energy.errors import MachineError

GONE_SECONDS = 10.0


@dataclass
class Node:
    """One machine of several.

    Args:
        name: of its namespace; its cable is called the same on the bridge's side.
        address: its own.
        bridge: what its cable goes to.
    """

    name: str
    address: str
    bridge: str
    _children: list["subprocess.Popen[bytes]"] = field(default_factory=list, init=False)

    def run(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """Start a program that lives and dies with this node."""
        with log.open("ab") as output:
            inside = ControlGroup(self.name).enter(["ip", "netns", "exec", self.name, *words])
            self._children.append(subprocess.Popen(inside, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output))

    def limit(self, cpus: float) -> None:
        """Give all its processes together so much of the processors from here on, whichever version of control groups there is."""
        ControlGroup(self.name).limit_cpus(cpus)

    def pids(self) -> list[int]:
        """Return every process on this node."""
        return [int(word) for word in _ip("netns", "pids", self.name).split()]

    def kill(self) -> None:
        """Lose power: first nobody hears of this node any more, then nothing on it runs. No connection is closed."""
        _ip("link", "set", self.name, "down")
        self.end()

    def end(self) -> None:
        """Kill every process at once and wait until none is left."""
        deadline = time.monotonic() + GONE_SECONDS
        while (pids := self.pids()) and time.monotonic() < deadline:
            self._signal(pids, signal.SIGKILL)
            time.sleep(0.05)
        for child in self._children:
            child.wait(timeout=GONE_SECONDS)
        self._children.clear()

    def cut(self) -> None:
        """Lose every packet from here on; the cable still looks whole to this node."""
        _ip("link", "set", self.name, "nomaster")

    def mend(self) -> None:
        """Be reached again."""
        _ip("link", "set", self.name, "master", self.bridge)

    def pause(self) -> None:
        """Stand still, as a machine does that is moved or swaps."""
        self._signal(self.pids(), signal.SIGSTOP)

    def resume(self) -> None:
        """Go on."""
        self._signal(self.pids(), signal.SIGCONT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _signal(self, pids: Sequence[int], number: signal.Signals) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


@dataclass(frozen=True)
class Network:
    """A bridge, this machine at its first address, and nodes."""

    host: str
    nodes: list[Node]


@contextmanager
def network(count: int) -> Iterator[Network]:
    """Lay a network with ``count`` nodes; nothing of it is left afterwards.

    Raises:
        MachineError: this machine or account cannot have network namespaces.
    """
    # Addresses that no real network has. Source: RFC 2544, appendix C.2.2.
    name, prefix = f"luna{os.getpid() % 100_000}", f"198.18.{os.getpid() % 256}"
    with ExitStack() as stack:
        _require()
        _ip("link", "add", name, "type", "bridge")
        stack.callback(_ip, "link", "del", name)
        _ip("address", "add", f"{prefix}.1/24", "dev", name)
        _ip("link", "set", name, "up")
        nodes = [stack.enter_context(_node(Node(f"{name}-{place}", f"{prefix}.{place + 1}", name))) for place in range(1, count + 1)]
        yield Network(f"{prefix}.1", nodes)


@contextmanager
def _node(node: Node) -> Iterator[Node]:
    with ExitStack() as stack:
        _ip("netns", "add", node.name)
        stack.callback(_ip, "netns", "del", node.name)
        _ip("link", "add", node.name, "type", "veth", "peer", "name", "eth0", "netns", node.name)
        _ip("link", "set", node.name, "master", node.bridge, "up")
        for words in (["address", "add", f"{node.address}/24", "dev", "eth0"], ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]):
            _ip("-n", node.name, *words)
        stack.enter_context(control_group(node.name))
        yield stack.enter_context(node)


def _require() -> None:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise MachineError("nodes on one machine need root and the program ip", field="ip", remedy="Run as root; on Debian: apt install iproute2.")


def _ip(*words: str) -> str:
    ended = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
    if ended.returncode:
        raise MachineError(f"ip {' '.join(words)}: {ended.stderr.strip()}", field="ip", remedy="Run as root, where network namespaces may be made.")
    return ended.stdout
