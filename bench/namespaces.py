"""Simulate several machines on one: network namespaces on a bridge, each with an address and
processes; needs root and ``ip``.
"""

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
    """A simulated machine.

    Args:
        name: of its namespace, and of its link on the bridge's side.
        address: its IP address.
        bridge: the bridge of its link.
    """

    name: str
    address: str
    bridge: str
    _children: list["subprocess.Popen[bytes]"] = field(default_factory=list, init=False)

    def run(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """Start a program on this node."""
        with log.open("ab") as output:
            inside = ControlGroup(self.name).enter(["ip", "netns", "exec", self.name, *words])
            self._children.append(
                subprocess.Popen(
                    inside,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            )

    def limit(self, cpus: float) -> None:
        """Limit the CPUs of all its processes together, by control groups of either version."""
        ControlGroup(self.name).limit_cpus(cpus)

    def pids(self) -> list[int]:
        """Return the ids of this node's processes."""
        return [int(word) for word in _ip("netns", "pids", self.name).split()]

    def kill(self) -> None:
        """Simulate a power loss: take the link down, then kill all processes, so that peers see no
        connection close.
        """
        _ip("link", "set", self.name, "down")
        self.end()

    def end(self) -> None:
        """Kill every process and wait until none is left."""
        deadline = time.monotonic() + GONE_SECONDS
        while (pids := self.pids()) and time.monotonic() < deadline:
            self._signal(pids, signal.SIGKILL)
            time.sleep(0.05)
        for child in self._children:
            child.wait(timeout=GONE_SECONDS)
        self._children.clear()

    def cut(self) -> None:
        """Drop all packets; to this node the link still looks up."""
        _ip("link", "set", self.name, "nomaster")

    def mend(self) -> None:
        """Undo ``cut``."""
        _ip("link", "set", self.name, "master", self.bridge)

    def pause(self) -> None:
        """Stop all processes, as on a virtual machine that is migrated or swaps."""
        self._signal(self.pids(), signal.SIGSTOP)

    def resume(self) -> None:
        """Continue the stopped processes."""
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
    """A bridge with this machine's address on it, and its nodes."""

    host: str
    nodes: list[Node]


@contextmanager
def network(count: int) -> Iterator[Network]:
    """Create a network with ``count`` nodes, and remove it after the block.

    Raises:
        MachineError: this machine or account cannot have network namespaces.
    """
    # Addresses reserved for benchmarks. Source: RFC 2544, appendix C.2.2.
    name = f"luna{os.getpid() % 100_000}"
    prefix = f"198.18.{os.getpid() % 256}"
    with ExitStack() as stack:
        _require()
        _ip("link", "add", name, "type", "bridge")
        stack.callback(_ip, "link", "del", name)
        _ip("address", "add", f"{prefix}.1/24", "dev", name)
        _ip("link", "set", name, "up")
        nodes = [
            stack.enter_context(_node(Node(f"{name}-{place}", f"{prefix}.{place + 1}", name)))
            for place in range(1, count + 1)
        ]
        yield Network(f"{prefix}.1", nodes)


@contextmanager
def _node(node: Node) -> Iterator[Node]:
    with ExitStack() as stack:
        _ip("netns", "add", node.name)
        stack.callback(_ip, "netns", "del", node.name)
        _ip("link", "add", node.name, "type", "veth", "peer", "name", "eth0", "netns", node.name)
        _ip("link", "set", node.name, "master", node.bridge, "up")
        for words in (
            ["address", "add", f"{node.address}/24", "dev", "eth0"],
            ["link", "set", "eth0", "up"],
            ["link", "set", "lo", "up"],
        ):
            _ip("-n", node.name, *words)
        stack.enter_context(control_group(node.name))
        yield stack.enter_context(node)


def _require() -> None:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise MachineError(
            "nodes on one machine need root and the program ip",
            field="ip",
            remedy="Run as root; on Debian: apt install iproute2.",
        )


def _ip(*words: str) -> str:
    ended = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
    if ended.returncode:
        raise MachineError(
            f"ip {' '.join(words)}: {ended.stderr.strip()}",
            field="ip",
            remedy="Run as root, where network namespaces may be made.",
        )
    return ended.stdout
