"""A front for a simulated device that takes one connection, as the dongles of several makers do: it
hangs up on a second one, and counts.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class OneMaster:
    """What came to the front at ``port``: connections taken and refused, requests in their
    order.
    """

    port: int = 0
    taken: int = 0
    refused: int = 0
    requests: list[bytes] = field(default_factory=list)
    # Cleared: answers are kept back.
    answers: threading.Event = field(default_factory=threading.Event)
    # The connection that is taken now.
    master: socket.socket | None = None

    def drop(self) -> None:
        """Hang up on the master, as a device that reboots."""
        if (master := self.master) is not None:
            with suppress(OSError):
                master.shutdown(socket.SHUT_RDWR)

    def relay(self, master: socket.socket, behind: int) -> None:
        """Pass requests and answers on until either side hangs up."""
        self.master = master
        with master, suppress(OSError), socket.create_connection(("127.0.0.1", behind)) as device:
            threading.Thread(target=self._answer, args=(device, master), daemon=True).start()
            while request := master.recv(4096):
                self.requests.append(request)
                device.sendall(request)
            device.shutdown(socket.SHUT_RDWR)
        self.master = None

    def _answer(self, device: socket.socket, master: socket.socket) -> None:
        with suppress(OSError):
            while answer := device.recv(4096):
                self.answers.wait()
                master.sendall(answer)
            master.shutdown(socket.SHUT_RDWR)

    def accept(self, listener: socket.socket, behind: int) -> None:
        """Take one master at a time, until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                if self.master is not None:
                    self.refused += 1
                    client.close()
                    continue
                self.taken += 1
                self.master = client
                threading.Thread(target=self.relay, args=(client, behind), daemon=True).start()


@contextmanager
def one_master(behind: int, *, port: int = 0) -> Iterator[OneMaster]:
    """Stand before the device at ``behind`` while the block runs."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        front = OneMaster(listener.getsockname()[1])
        front.answers.set()
        threading.Thread(target=front.accept, args=(listener, behind), daemon=True).start()
        yield front
        # A close alone wakes nobody who accepts.
        listener.shutdown(socket.SHUT_RDWR)
        front.answers.set()
        front.drop()
