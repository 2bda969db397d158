"""A Mosquitto of a test's own, from the distribution's package, and a relay before it that can drop
what passes.

Debian, Ubuntu: apt-get install mosquitto. Without it the tests that need a broker are not run, and
a run's summary says so.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.worker.processes import free_port

PROGRAM = shutil.which(
    "mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
)
SAID = (
    "live: Mosquitto"
    if PROGRAM
    else (
        "live: no mosquitto on this machine, so the tests of MQTT were not run: apt-get "
        "install mosquitto"
    )
)
needs_mosquitto = pytest.mark.skipif(
    PROGRAM is None, reason="no mosquitto on this machine: apt-get install mosquitto"
)
# For a machine that is busy with much else.
PATIENCE_SECONDS = 60
LOGGED = ("error", "warning", "notice", "information", "subscribe")


class Mosquitto:
    """A broker on a port and a folder of its own that outlive its process.

    ``settings`` are lines of its configuration.
    """

    def __init__(self, folder: Path, *settings: str, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, free_port()
        self._folder = folder
        self._settings = settings or ("allow_anonymous true",)
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "mosquitto.log"
        self._said_before = 0

    def start(self) -> None:
        lines = [
            f"listener {self.port} {self.host}",
            "persistence true",
            f"persistence_location {self._folder}/",
            f"user {getpass.getuser()}",
            *self._settings,
        ]
        # A broker that is killed knows afterwards what it has written: everything. By itself it
        # keeps a thousand messages for one who is away.
        lines += [
            "autosave_on_changes true",
            "autosave_interval 1",
            "max_queued_messages 100000",
            *(f"log_type {kind}" for kind in LOGGED),
        ]
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        with self._log.open("ab") as log:
            self._said_before = log.tell()
            self._process = subprocess.Popen(
                [str(PROGRAM), "-c", str(config)], stdout=log, stderr=log
            )
        _wait_for_port(self.host, self.port)

    def hears(self, topic: str) -> bool:
        """Whether somebody has subscribed to a topic since it started."""
        return f" {topic}\n" in self._log.read_bytes()[self._said_before :].decode()

    def stop(self) -> None:
        """End it; it writes down what it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def _end(self, kind: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(kind)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None


class Publisher:
    """A device that publishes at QoS 1 and returns when the broker has it."""

    def __init__(self, port: int, *, host: str = "127.0.0.1") -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=True)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(host, port)
        self._connected = threading.Event()
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.on_disconnect = lambda *_: self._connected.clear()
        self._client.loop_start()

    def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        # After the broker's death the listener may be back before the device is.
        assert self._connected.wait(PATIENCE_SECONDS), "the device does not reach the broker"
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(
            PATIENCE_SECONDS
        )

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Relay:
    """Passes bytes to a port on until told to drop its connections, or to hang."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._pairs: list[socket.socket] = []
        self._hangs = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self) -> None:
        """Cut every connection, whatever is under way."""
        while self._pairs:
            _cut(self._pairs.pop())

    def hang(self) -> None:
        """Keep every connection, and pass nothing on."""
        self._hangs.set()

    def close(self) -> None:
        _cut(self._listener)
        self.drop()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._pairs += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(
                        target=self._pass_on, args=(source, target), daemon=True
                    ).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if not self._hangs.is_set():
                    target.sendall(data)
        _cut(source)
        _cut(target)


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _wait_for_port(host: str, port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        assert time.monotonic() < deadline, "the broker does not start"
        time.sleep(0.02)
