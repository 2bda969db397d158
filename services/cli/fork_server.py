"""``python -m services.cli.fork_server SHARE``: loads what several processes of ``luna up`` need, and becomes each of them by a fork.

What is loaded before a fork is in memory once, and is not loaded again. A forked process is one like any other: in a session of its own, with its own command
line, ended by its own signals; it outlives the server. Where no server works, a process is executed instead, and loads everything itself.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

MODULE = "services.cli.fork_server"
STANDARD_INPUT, STANDARD_ERROR = 0, 2
# What each of the processes imports, whatever it does. None of their own modules is among it: they run as ``__main__``.
SHARED = (
    "celery.beat", "celery.concurrency.prefork", "celery.worker", "httpx", "luna.database.engine", "luna.embedded", "luna.health", "luna.mqtt", "luna.queue",
    "luna.queue.heartbeats", "luna.settings.stored", "luna.telemetry", "luna.tracing",
)  # fmt: skip
# A server that loads for longer is done without.
PATIENCE_SECONDS = 120.0
MESSAGE_BYTES = 65_536
# Room for the longest command line of a forked process, which is written over the server's.
ROOM = " " * 400
# Of a process whose server ended before it: nobody knows how it ended.
UNKNOWN_EXIT = 255


def load_shared() -> None:
    """Import what every process needs."""
    for module in SHARED:
        import_module(module)


def load_tasks() -> None:
    """Import what the workers run, and what their tasks compile; what only jobs need is loaded by the worker for jobs."""
    from luna.queue.services import OPTIONAL_SERVICES, SERVICES

    for service in (*SERVICES, *OPTIONAL_SERVICES):
        # What is not installed is named by the worker that would serve it.
        with suppress(ImportError, OSError):
            getattr(import_module(f"services.{service}.tasks"), "prepare", lambda: None)()


SHARES: Mapping[str, Callable[[], None]] = {"shared": load_shared, "tasks": load_tasks}


def main() -> None:
    """Load, and serve until the starter ends; in each forked process run the module that is asked for."""
    SHARES[sys.argv[1]]()
    # A collector that looked through what is loaded would write into its pages, and so make them each process's own.
    gc.collect()
    gc.freeze()
    words = _serve(socket.socket(fileno=os.dup(STANDARD_INPUT)))
    if words:
        show_command_line([sys.executable, "-m", *words])
        sys.argv = words
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def _serve(control: socket.socket) -> list[str]:
    """Fork at each request; return in each forked process the words of its command, at the end of the starter none."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 2)
        if not message:
            return []
        request = json.loads(message)
        if isinstance(request, int):
            # Not before it is asked for: until then no other process gets the number, and a signal reaches who is meant.
            control.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(request, 0)[1]))
            continue
        pid = os.fork()
        if pid == 0:
            control.close()
            os.setsid()
            for descriptor, place in zip(descriptors, (STANDARD_INPUT, STANDARD_ERROR), strict=True):
                os.dup2(descriptor, place)
                os.close(descriptor)
            return list(request)
        process = os.pidfd_open(pid)
        socket.send_fds(control, [b"%d" % pid], [process])
        for descriptor in (*descriptors, process):
            os.close(descriptor)


def show_command_line(words: Sequence[str]) -> None:
    """Let ``ps`` show ``words`` as this process's command, as far as there is room. Source: Linux, proc(5), ``arg_start`` and ``arg_end``."""
    with suppress(OSError, IndexError):
        start, end = map(int, Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[45:47])
        text = b"\0".join(os.fsencode(word) for word in words)
        with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
            memory.seek(start)
            memory.write(text[: end - start - 1].ljust(end - start, b"\0"))


class ForkedProcess:
    """A process that a fork server became: what ``subprocess.Popen`` shows of one.

    Args:
        server: what it was forked by.
        pid: its number.
        descriptor: of the process itself, which stays its own when the number is another's. Source: Linux, pidfd_open(2).
        stdin: the other end of its standard input.
        stderr: the other end of its standard error; None: it has this process's.
    """

    def __init__(self, server: "ForkServer", pid: int, descriptor: int, *, stdin: socket.socket, stderr: int | None = None) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = stdin
        self.stderr = None if stderr is None else os.fdopen(stderr, "rb")
        self._server, self._descriptor = server, descriptor

    def poll(self) -> int | None:
        """Return how it ended; None: it lives."""
        return self._look(0)

    def terminate(self) -> None:
        """Ask it to end."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGTERM)

    def __enter__(self) -> "ForkedProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stdin.close()
        if self.stderr:
            self.stderr.close()
        self._look(None)
        os.close(self._descriptor)

    def _look(self, milliseconds: int | None) -> int | None:
        ended = select.poll()
        ended.register(self._descriptor, select.POLLIN)
        if self.returncode is None and ended.poll(milliseconds):
            self.returncode = self._server.reap(self.pid)
        return self.returncode


ChildProcess = subprocess.Popen[bytes] | ForkedProcess


class ForkServer:
    """The starter's side of a fork server.

    Args:
        share: what it loads, one of ``SHARES``.
        parent: the server that forks it when the first process is asked for; None: it is executed at once.
    """

    def __init__(self, share: str, *, parent: "ForkServer | None" = None) -> None:
        self._share, self._parent = share, parent
        self._lock = threading.Lock()
        self._process: ChildProcess | None = None
        self._control, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET if _can_fork() else socket.SOCK_STREAM)
        self._control.settimeout(PATIENCE_SECONDS)
        self._works = _can_fork()
        if parent is None and self._works:
            # Threads of a service, each with an arena of its own, would keep what others have freed.
            environment = {"MALLOC_ARENA_MAX": "2"} | os.environ
            words = [sys.executable, "-m", MODULE, share, ROOM]
            self._process = subprocess.Popen(words, stdin=self._far, env=environment, start_new_session=True)
            self._far.close()

    def start(self, words: Sequence[str]) -> ChildProcess:
        """Start ``python -m WORDS``, whose standard input and error are this process's to end and to read."""
        if self._works:
            try:
                return self._start(words)
            except OSError as error:
                self._give_up(error)
        return subprocess.Popen([sys.executable, "-m", *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def fork(self, words: Sequence[str], *, stdin: int, stderr: int) -> tuple[int, int]:
        """Return number and descriptor of a process that runs ``python -m WORDS``.

        Raises:
            OSError: the server ended, or does not answer.
        """
        with self._lock:
            if self._process is None and self._parent:
                pid, descriptor = self._parent.fork([MODULE, self._share], stdin=self._far.fileno(), stderr=STANDARD_ERROR)
                self._process = ForkedProcess(self._parent, pid, descriptor, stdin=self._control)
                self._far.close()
            socket.send_fds(self._control, [json.dumps(list(words)).encode()], [stdin, stderr])
            answer, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 1)
        if not answer:
            raise BrokenPipeError("the fork server ended")
        return int(answer), descriptors[0]

    def reap(self, pid: int) -> int:
        """Return how a process ended that has ended."""
        try:
            with self._lock:
                self._control.send(b"%d" % pid)
                return int(self._control.recv(MESSAGE_BYTES) or UNKNOWN_EXIT)
        except OSError:
            return UNKNOWN_EXIT

    def close(self) -> None:
        """End the server; what it has forked lives on."""
        if self._process is not None:
            with self._process as process:
                self._control.close()
                process.terminate()
        self._control.close()
        self._far.close()

    def _start(self, words: Sequence[str]) -> ForkedProcess:
        stdin, far = socket.socketpair()
        reader, writer = os.pipe()
        try:
            pid, descriptor = self.fork(words, stdin=far.fileno(), stderr=writer)
        except OSError:
            os.close(reader)
            stdin.close()
            raise
        finally:
            os.close(writer)
            far.close()
        return ForkedProcess(self, pid, descriptor, stdin=stdin, stderr=reader)

    def _give_up(self, error: OSError) -> None:
        """Fork nothing any more: a late answer would be taken for that of another request."""
        import structlog

        if self._works:
            self._works = False
            structlog.get_logger("luna.up").warning("fork server does not answer, each process loads everything itself", share=self._share, error=str(error))
            self._control.close()


def _can_fork() -> bool:
    """Return whether this system has what a fork server is spoken to with: Linux since 5.3."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


if __name__ == "__main__":
    main()
