"""``python -m luna.platform.supervision.fork_server SHARE [MODULE ARGUMENT …]``: forks processes.

It loads what several processes need, and becomes each of them by a fork.

What is loaded before a fork is in memory once, and is not loaded again. A forked process is one
like any other: in a session of its own, with its own command line, ended by its own signals; it
outlives the server. Where no server works, a process is executed instead, and loads everything
itself.
"""

import atexit
import ctypes
import gc
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import NoReturn, Self

MODULE = "luna.platform.supervision.fork_server"
STANDARD_INPUT = 0
STANDARD_ERROR = 2
# All imports of these processes, even of a single one: an import after the fork would write all
# over shared pages. Not their main modules, which run as ``__main__``.
SHARED = (
    "celery.beat",
    "celery.concurrency.prefork",
    "celery.worker",
    "celery.worker.consumer",
    # The first client of httpx imports it.
    "httpcore",
    "httpx",
    "luna.contracts.tasks",
    "luna.platform.database.engine",
    "luna.platform.database.schema",
    "luna.platform.embedded",
    "luna.platform.health",
    "luna.platform.mqtt",
    "luna.platform.objects",
    "luna.platform.queue",
    "luna.platform.queue.heartbeats",
    "luna.platform.settings.stored",
    "luna.simulated_home",
    "luna.platform.telemetry",
    "luna.platform.tracing",
    "services.backup.keeper",
    "services.backup.create",
    "luna.drivers.control.home_assistant",
    "luna.drivers.control.mqtt",
    "luna.drivers.control.opening",
    "luna.platform.service_process",
    "services.executor.watch",
    "services.ocpp.server",
    "services.steering.cycles",
    "services.steering.write_count",
    "services.ingest.listening.slot_scheduler",
    "services.ingest.recorder",
    "services.ingest.slot_builder",
    "services.ingest.sources.home_assistant",
    "services.ingest.sources.mqtt",
    "luna.simulated_home.broker",
    "luna.simulated_home.devices",
    "sqlalchemy.dialects.postgresql",
)
# Imported by Celery at a worker's start.
WORKERS = (
    "billiard.heap",
    "billiard.popen_fork",
    "billiard.sharedctypes",
    "billiard.synchronize",
    "celery.app.control",
    "celery.app.log",
    "celery.apps.worker",
    "celery.backends.redis",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "luna.platform.queue.job_attempt",
    "luna.platform.queue.consumption",
    "luna.platform.queue.idle_processes",
    "luna.platform.queue.task_base",
)
# A server that takes longer is not used.
PATIENCE_SECONDS = 120.0
MESSAGE_BYTES = 65_536
PR_SET_MM = 35
PR_SET_MM_MAP = 14
MADV_DONTNEED = 4
# Index of the file name in a line of /proc/PID/smaps.
FILE_PLACE = 5
# Source: glibc, mallopt(3).
M_ARENA_MAX = -8
ARENAS = 2
# Exit code of a process whose server ended first: it is unknown.
UNKNOWN_EXIT = 255
# Memory in which the kernel finds this process's command line after ``show_command_line``.
_arguments: "ctypes.Array[ctypes.c_char] | None" = None


def load_shared() -> None:
    """Import what every process needs, and rehearse its first steps.

    Python writes into code and types on first use; what is written before the fork is shared.
    """
    for module in SHARED:
        import_module(module)
    _rehearse_requests()


def _rehearse_requests() -> None:
    """Load the settings, and send requests to servers that do not exist."""
    from luna.contracts import FetchPricesRequest
    from luna.energy.errors import LunaError
    from luna.platform.database import engine, sites
    from luna.platform.health.health_server import announce_release
    from luna.platform.queue import Client
    from luna.platform.settings import load_settings

    announce_release()
    with socket.socket() as nobody:
        # Bound without listening, so that no real server can be reached.
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        database = engine.create(f"postgresql://{address}/luna")
        client = Client(f"redis://{address}")
        with suppress(LunaError):
            load_settings()
        with suppress(LunaError), engine.unit_of_work(database) as connection:
            sites.keys_of(connection, [])
        with suppress(LunaError):
            client.submit(FetchPricesRequest())
        client.close()
        database.dispose()
    # Each process reads them when it starts.
    load_settings.cache_clear()


def load_tasks() -> None:
    """Import the workers' tasks and compile their loops.

    A process imports the libraries for jobs when it first needs them. Where memory is short no
    process outlives its task, and each job would load these 55 MB again: there they are imported
    here. Compiling takes 100 MB, too much beside a training: where memory is short, a process
    compiles everything and ends before others start.
    """
    from luna.platform.memory import affordable_processes
    from luna.platform.queue.services import OPTIONAL_SERVICES, SERVICES

    tasks = []
    for service in (*SERVICES, *OPTIONAL_SERVICES):
        # The worker of a service reports missing libraries.
        with suppress(ImportError, OSError):
            tasks.append(import_module(f"services.{service}.tasks"))
    is_short = affordable_processes() == 1
    if is_short:
        compiling = get_context("fork").Process(target=_take_step, args=(tasks, "precompile"))
        compiling.start()
        compiling.join()
    _take_step(tasks, "prepare")
    if is_short:
        _take_step(tasks, "prepare_jobs")
    for module in WORKERS:
        import_module(module)


def _take_step(tasks: Sequence[ModuleType], step: str) -> None:
    """Call the function ``step`` of each module that has one."""
    for module in tasks:
        with suppress(ImportError, OSError):
            getattr(module, step, lambda: None)()


SHARES: Mapping[str, Callable[[], None]] = {"shared": load_shared, "tasks": load_tasks}


def main() -> None:
    """Run the fork server of the share in the first argument."""
    run(sys.argv[1], sys.argv[2:])


def run(share: str, words: Sequence[str] = ()) -> NoReturn:
    """Load a share and serve until the starter ends.

    Each forked process runs the requested module, as this one does at once with ``words``.
    """
    SHARES[share]()
    # The collector would write into shared pages and so copy them per process.
    gc.collect()
    gc.freeze()
    # The parent may have disabled the collector while loading; these processes live for weeks and
    # need it.
    gc.enable()
    let_go_of_files()
    words = list(words) or _serve(socket.socket(fileno=os.dup(STANDARD_INPUT)))
    if words:
        show_command_line([sys.executable, "-m", *words])
    if words[:1] == [MODULE]:
        run(words[1], words[2:])
    code: int | None = 0
    if words:
        sys.argv = words
        try:
            runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            if isinstance(ended.code, str):
                raise
            code = ended.code
    leave(code or 0)


def leave(code: int) -> NoReturn:
    """End this process like Python, without the final clean-up of modules.

    That would write into every shared page.

    Several that ended at once took 50 MB each. Source: CPython, multiprocessing/popen_fork.py.
    """
    # Wait for threads, those of executors among them, as multiprocessing does.
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing does
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def let_go_of_files() -> None:
    """Release unmodified pages of loaded libraries; who needs one reads it from the page cache.

    LLVM, which compiles the planner's loops and is unused afterwards, takes 90 MB. Source: Linux,
    madvise(2), ``MADV_DONTNEED``.
    """
    with suppress(OSError, AttributeError):
        system = ctypes.CDLL(None)
        end = 0
        start = 0
        is_file = False
        smaps = Path("/proc/self/smaps").read_text(encoding="utf-8", errors="replace")
        for line in smaps.splitlines():
            words = line.split()
            if "-" in words[0]:
                # The head of a mapping: its addresses, its permissions and its file, if any.
                start, end = (int(number, 16) for number in words[0].split("-"))
                has_file = len(words) > FILE_PLACE and words[FILE_PLACE].startswith("/")
                is_file = has_file and "w" not in words[1]
            elif words[:2] == ["Anonymous:", "0"] and is_file:
                system.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED)


def _serve(control: socket.socket) -> list[str]:
    """Fork at each request.

    Return the module and arguments in the forked process, an empty list when the starter ends.
    """
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 2)
        if not message:
            return []
        request = json.loads(message)
        if isinstance(request, int):
            # Reaped on request only: until then the pid is not reused, and signals reach the right
            # process.
            control.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(request, 0)[1]))
            continue
        pid = os.fork()
        if pid == 0:
            control.close()
            os.setsid()
            for descriptor, place in zip(
                descriptors, (STANDARD_INPUT, STANDARD_ERROR), strict=True
            ):
                os.dup2(descriptor, place)
                os.close(descriptor)
            return list(request)
        process = os.pidfd_open(pid)
        socket.send_fds(control, [b"%d" % pid], [process])
        for descriptor in (*descriptors, process):
            os.close(descriptor)


def show_command_line(words: Sequence[str]) -> bool:
    """Set the command line that ``ps`` shows for this process; return whether that worked.

    Source: Linux, prctl(2), ``PR_SET_MM_MAP``: all fields as in proc(5), except the address of the
    arguments.
    """
    global _arguments  # noqa: PLW0603 - the kernel reads it until this process ends
    try:
        stat = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
        # The program's name before them may hold blanks.
        fields = stat.rpartition(")")[2].split()
        system = ctypes.CDLL(None)
        system.sbrk.restype = ctypes.c_void_p
        arguments = ctypes.create_string_buffer(b"\0".join(os.fsencode(word) for word in words))
        start_code, end_code, start_stack = map(int, fields[23:26])
        start_data, end_data, start_brk, _, _, env_start, env_end = map(int, fields[42:49])
        begin = ctypes.addressof(arguments)
        places = (
            start_code,
            end_code,
            start_data,
            end_data,
            start_brk,
            system.sbrk(0),
            start_stack,
            begin,
            begin + len(arguments),
            env_start,
            env_end,
        )
        layout = ctypes.create_string_buffer(struct.pack("<11QQIi", *places, 0, 0, -1))
        options = (PR_SET_MM_MAP, ctypes.addressof(layout), len(layout) - 1, 0)
        failure = system.prctl(PR_SET_MM, *map(ctypes.c_ulong, options))
    except (OSError, ValueError, AttributeError):
        return False
    if failure:
        return False
    _arguments = arguments
    return True


class ForkedProcess:
    """A process forked by a fork server, with the interface of ``subprocess.Popen`` that is needed.

    Args:
        server: that forked it; None: this process.
        pid: its process id.
        descriptor: its pidfd, valid even when the pid is reused. Source: Linux, pidfd_open(2).
        stdin: the other end of its standard input.
        stderr: the other end of its standard error; None: it has this process's.
    """

    def __init__(
        self,
        server: "ForkServer | None",
        pid: int,
        descriptor: int,
        *,
        stdin: socket.socket,
        stderr: int | None = None,
    ) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = stdin
        self.stderr = None if stderr is None else os.fdopen(stderr, "rb")
        self._server = server
        self._descriptor = descriptor

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._look(0)

    def terminate(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGTERM)

    def __enter__(self) -> Self:
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
            if self._server:
                self.returncode = self._server.reap(self.pid)
            else:
                _, status = os.waitpid(self.pid, 0)
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


ChildProcess = subprocess.Popen[bytes] | ForkedProcess


class ForkServer:
    """The client of a fork server.

    Args:
        share: what it loads, one of ``SHARES``.
        parent: the server that forks it at the first request; None: it is executed at once.
        alone: it becomes the requested process itself, and is forked anew for the next request;
            for a share with a single process.
        here: it is forked from this process, which has everything loaded.
    """

    def __init__(
        self,
        share: str,
        *,
        parent: "ForkServer | None" = None,
        alone: bool = False,
        here: bool = False,
    ) -> None:
        self._share = share
        self._parent = parent
        self._alone = alone
        self._lock = threading.Lock()
        self._process: ChildProcess | None = None
        self._works = _can_fork()
        self._control, self._far = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET if self._works else socket.SOCK_STREAM
        )
        self._control.settimeout(PATIENCE_SECONDS)
        if parent is None and self._works:
            self._process = self._fork_here() if here else self._execute()
            self._far.close()

    def start(self, words: Sequence[str]) -> ChildProcess:
        """Start ``python -m WORDS`` with standard input and error connected to this process."""
        if self._parent and self._alone:
            return self._parent.start([MODULE, self._share, *words])
        if self._works:
            try:
                return self._start(words)
            except OSError as error:
                self._give_up(error)
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def fork(self, words: Sequence[str], *, stdin: int, stderr: int) -> tuple[int, int]:
        """Fork a process that runs ``python -m WORDS``; return its pid and pidfd.

        Raises:
            OSError: the server ended, or does not answer.
        """
        with self._lock:
            if self._process is None and self._parent:
                pid, descriptor = self._parent.fork(
                    [MODULE, self._share], stdin=self._far.fileno(), stderr=STANDARD_ERROR
                )
                self._process = ForkedProcess(self._parent, pid, descriptor, stdin=self._control)
                self._far.close()
            socket.send_fds(self._control, [json.dumps(list(words)).encode()], [stdin, stderr])
            answer, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 1)
        if not answer:
            raise BrokenPipeError("the fork server ended")
        return int(answer), descriptors[0]

    def reap(self, pid: int) -> int:
        """Return the exit code of an ended process."""
        try:
            with self._lock:
                self._control.send(b"%d" % pid)
                return int(self._control.recv(MESSAGE_BYTES) or UNKNOWN_EXIT)
        except OSError:
            return UNKNOWN_EXIT

    def close(self) -> None:
        """End the server; its forked processes go on."""
        if self._process is not None:
            with self._process as process:
                self._control.close()
                process.terminate()
        self._control.close()
        self._far.close()

    def _execute(self) -> "subprocess.Popen[bytes]":
        # Limits malloc arenas: each thread's own arena would keep freed memory.
        environment = {"MALLOC_ARENA_MAX": str(ARENAS)} | os.environ
        return subprocess.Popen(
            [sys.executable, "-m", MODULE, self._share],
            stdin=self._far.fileno(),
            env=environment,
            start_new_session=True,
        )

    def _fork_here(self) -> ForkedProcess:
        with suppress(AttributeError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
        # For this process too: the collector would write into pages shared with the fork.
        gc.collect()
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            self._control.close()
            os.setsid()
            os.dup2(self._far.fileno(), STANDARD_INPUT)
            self._far.close()
            show_command_line([sys.executable, "-m", MODULE, self._share])
            run(self._share)
        return ForkedProcess(None, pid, os.pidfd_open(pid), stdin=self._control)

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
        """Stop forking: a late answer would be taken for that of another request."""
        import structlog

        if self._works:
            self._works = False
            structlog.get_logger("luna.up").warning(
                "fork server does not answer, each process loads everything itself",
                share=self._share,
                error=str(error),
            )
            self._control.close()


def _can_fork() -> bool:
    """Return whether the system supports the fork server: pidfd_open, Linux since 5.3."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


if __name__ == "__main__":
    main()
