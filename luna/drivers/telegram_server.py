"""Serve a simulated meter that sends telegrams: over TCP, or as datagrams to its network."""

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from luna.drivers.p1 import TELEGRAM, encode_telegram
from luna.drivers.point_image import JsonImage
from luna.drivers.profile_points import PREFIX_PART
from luna.drivers.server_faults import ServerFaults
from luna.drivers.simulated_product import SimulatedProduct
from luna.drivers.sma_emeter import encode_datagram, name_document
from luna.drivers.transports import MulticastTransport
from luna.energy.refusals import refuse

# As a meter of DSMR 5, and faster than a Sunny Home Manager.
EVERY_SECONDS = 1.0
DATAGRAM_SECONDS = 0.2
_ACCEPT_SECONDS = 0.2


def read_document(device: SimulatedProduct, place: str) -> Mapping[str, Any]:
    """Return one of a device's documents as it is now."""
    document: Mapping[str, Any] = cast("JsonImage", device.look()).documents()[place]
    return document


class TelegramServer:
    """A converter at a P1 port that passes telegrams on at ``port``."""

    def __init__(self, device: SimulatedProduct, host: str, port: int) -> None:
        self.device = device
        self.faults = ServerFaults()
        self._ending = threading.Event()
        try:
            self._listener = socket.create_server((host, port))
        except OSError as exc:
            raise refuse("device-port-taken", field="--port", value=port) from exc
        self._listener.settimeout(_ACCEPT_SECONDS)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="p1 server", daemon=True)]

    def start(self) -> None:
        """Start to answer."""
        self._threads[0].start()

    def stop(self) -> None:
        """Close all connections and stop listening."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                link, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            thread = threading.Thread(target=self._send, args=(link,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _send(self, link: socket.socket) -> None:
        with link, suppress(OSError):
            while True:
                link.sendall(encode_telegram(read_document(self.device, TELEGRAM)))
                if self._ending.wait(EVERY_SECONDS + self.faults.delay_s):
                    return


class DatagramServer:
    """A meter that sends its datagrams to a group of the network of ``host``."""

    def __init__(self, device: SimulatedProduct, host: str, port: int, serial: str) -> None:
        self.device = device
        self.faults = ServerFaults()
        self._transport = cast("MulticastTransport", device.profile.transport)
        self.port = port or self._transport.port
        self.serial = serial
        self._ending = threading.Event()
        self._link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        interface = socket.inet_aton(socket.gethostbyname(host))
        self._link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
        self._thread = threading.Thread(target=self._run, name="emeter", daemon=True)

    def start(self) -> None:
        """Start to send."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sending."""
        self._ending.set()
        self._thread.join()
        self._link.close()

    def _run(self) -> None:
        while not self._ending.wait(DATAGRAM_SECONDS + self.faults.delay_s):
            document = {
                **read_document(self.device, name_document(PREFIX_PART)),
                "serial": self.serial,
            }
            datagram = encode_datagram(document, milliseconds=int(time.monotonic() * 1000))
            with suppress(OSError):
                self._link.sendto(datagram, (self._transport.group, self.port))
