"""What the process that reads files cannot do, tried from inside."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.rag.extraction.confinement import NETWORK_CAN_BE_REFUSED
from services.rag.extraction.extract import extract
from services.rag.extraction.model import ExtractionError, Limits
from tests import documents, hostile_documents

ATTEMPTS = """
import ctypes, json, os, socket, sys, threading
from services.rag.extraction.confinement import confine
from services.rag.extraction.model import Limits

def outcome(attempt):
    try:
        attempt()
    except OSError as exc:
        return exc.errno
    except RuntimeError:
        return 1
    return 0

def io_uring():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(425, 1, ctypes.create_string_buffer(200)) < 0:
        raise OSError(ctypes.get_errno(), "")

inherited = socket.socket()
confined = confine(Limits(memory_bytes=500_000_000))
found = {
    "tcp": outcome(socket.socket),
    "udp": outcome(lambda: socket.socket(type=socket.SOCK_DGRAM)),
    "unix": outcome(lambda: socket.socket(socket.AF_UNIX)),
    "netlink": outcome(lambda: socket.socket(16, socket.SOCK_RAW)),
    "pair": outcome(socket.socketpair),
    "inherited": outcome(lambda: inherited.connect(("127.0.0.1", int(sys.argv[1])))),
    "listen": outcome(inherited.listen),
    "io_uring": outcome(io_uring),
    "fork": outcome(os.fork),
    "program": outcome(lambda: os.execv("/bin/true", ["true"])),
    "thread": outcome(threading.Thread(target=print).start),
    "stop others": outcome(lambda: os.kill(os.getppid(), 0)),
    "leave the group": outcome(os.setsid),
    "file": outcome(lambda: open("/dev/null", "rb").close()),
}
try:
    bytes(600_000_000)
except MemoryError:
    found["memory"] = 1
print(json.dumps([confined, found]))
"""
EPERM = 1


@pytest.mark.skipif(not NETWORK_CAN_BE_REFUSED, reason="only Linux on x86_64 and aarch64 takes the network from a process")
def test_network_programs_and_other_processes_are_out_of_reach() -> None:
    done = subprocess.run([sys.executable, "-c", ATTEMPTS, "9"], capture_output=True, text=True, check=True)
    confined, found = json.loads(done.stdout)
    assert confined
    assert found.pop("file") == 0
    assert found == dict.fromkeys(found, EPERM)


def read(folder: Path, content: bytes, limits: Limits) -> str:
    path = folder / "upload"
    path.write_bytes(content)
    with pytest.raises(ExtractionError) as caught:
        extract(path, name="datei", limits=limits, folder=folder)
    return caught.value.code


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    # 2,000 pages of one content with 20,000 words each: minutes.
    assert read(tmp_path, hostile_documents.long_pages(2_000, words=20_000), Limits(seconds=1)) == "took_too_long"


def test_a_file_that_takes_too_much_memory_is_given_up(tmp_path: Path) -> None:
    # 40 MB of text, which are held several times over while they are divided.
    assert read(tmp_path, b"wort und " * 4_500_000, Limits(memory_bytes=150_000_000)) == "too_much_memory"


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    path = tmp_path / "upload"
    path.write_bytes(documents.plain())
    extract(path, name="datei")
    read(tmp_path, hostile_documents.long_pages(2_000, words=20_000), Limits(seconds=1))
    assert list(tmp_path.iterdir()) == [path]


def test_members_stay_out_where_no_folder_is_given(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(documents.archive(("a.txt", b"a")))
    found = extract(path, name="a.zip")
    assert (found.members, found.notes) == ([], ["members_left_out"])
