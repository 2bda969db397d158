"""What the process that reads files cannot do, tried from inside."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import services
from services.rag.extraction.confinement import NETWORK_CAN_BE_REFUSED, landlock_version
from services.rag.extraction.extract import extract
from services.rag.extraction.model import ExtractionError, Limits
from tests.support.documents import hostile_files, sample_files

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


@pytest.mark.skipif(
    not NETWORK_CAN_BE_REFUSED,
    reason="only Linux on x86_64 and aarch64 takes the network from a process",
)
def test_network_programs_and_other_processes_are_out_of_reach() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, "9"], capture_output=True, text=True, check=True
    )
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
    assert (
        read(tmp_path, hostile_files.long_pages(2_000, words=20_000), Limits(seconds=1))
        == "took_too_long"
    )


def test_a_file_that_takes_too_much_memory_is_given_up(tmp_path: Path) -> None:
    # 40 MB of text, which are held several times over while they are divided.
    assert (
        read(tmp_path, b"wort und " * 4_500_000, Limits(memory_bytes=150_000_000))
        == "too_much_memory"
    )


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    path = tmp_path / "upload"
    path.write_bytes(sample_files.plain())
    extract(path, name="datei")
    read(tmp_path, hostile_files.long_pages(2_000, words=20_000), Limits(seconds=1))
    assert list(tmp_path.iterdir()) == [path]


def test_members_stay_out_where_no_folder_is_given(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(sample_files.archive(("a.txt", b"a")))
    found = extract(path, name="a.zip")
    assert (found.members, found.notes) == ([], ["members_left_out"])


OPENING = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from services.rag.extraction.confinement import FileAccess, restrict_files

own, work, *others = map(Path, sys.argv[1:])

def outcome(attempt):
    try:
        attempt()
    except OSError as exc:
        return exc.errno
    return 0

attempts = {str(path): path.read_bytes for path in others} | {
    "list": lambda: list(work.parent.iterdir()),
    "write": lambda: (work.parent / "new").write_bytes(b""),
    "link": lambda: (work / "link").symlink_to(others[0]) or (work / "link").read_bytes(),
    "environment": Path("/proc/1/environ").read_bytes,
}
before = {name: outcome(attempt) for name, attempt in attempts.items() if name in map(str, others)}
assert restrict_files(FileAccess(read=(own,), change=(work,)))
(work / "link").unlink(missing_ok=True)
refused = {name: outcome(attempt) for name, attempt in attempts.items()}
(work / "folder").mkdir()
(work / "folder" / "file").write_text("x")
(work / "folder" / "file").rename(work / "file")
import email, sqlite3, pypdfium2, lxml.html
moved = (work / "file").read_text()
rewritten = outcome(lambda: own.write_text("y"))
print(json.dumps([before, refused, own.read_text(), moved, rewritten]))
"""
EACCES = 13


@pytest.mark.skipif(
    landlock_version() == 0,
    reason="not run: this kernel has no Landlock, nothing keeps a parser from other files",
)
def test_a_parser_sees_its_own_file_alone(tmp_path: Path) -> None:
    own = tmp_path / "own"
    work = tmp_path / "work"
    foreign = tmp_path / "foreign"
    secret = tmp_path / "passwd"
    own.write_text("mine")
    foreign.write_text("another owner's contract")
    secret.write_bytes(Path("/etc/passwd").read_bytes())
    work.mkdir()
    others = [foreign, secret, Path("/etc/passwd"), Path(__file__).parents[3] / "pyproject.toml"]
    done = subprocess.run(
        [sys.executable, "-c", OPENING, own, work, *others],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, refused, read, written, overwritten = json.loads(done.stdout)
    # They could be read a moment before: nothing but the rules is in the way.
    assert before == {str(path): 0 for path in others}
    assert refused == dict.fromkeys(refused, EACCES)
    assert (read, written, overwritten) == ("mine", "x", EACCES)


READER = """
from dataclasses import asdict
from pathlib import Path
from services.rag.extraction.model import DocumentBlock, FormatReading

def read(source):
    return FormatReading(blocks=[DocumentBlock("text", Path({path!r}).read_text())])
"""


@pytest.mark.skipif(
    landlock_version() == 0,
    reason="not run: this kernel has no Landlock, nothing keeps a parser from other files",
)
def test_a_parser_that_was_taken_over_does_not_reach_another_owner_s_document(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own"
    foreign = tmp_path / "foreign"
    own.write_text("mine")
    foreign.write_text("another owner's contract")
    child = (
        "import sys, types\nfrom pathlib import Path\nfrom services.rag.extraction import child\n"
    )
    child += (
        "taken = types.ModuleType('services.rag.extraction.formats.plain')\nexec(sys.argv[2], "
        "taken.__dict__)\n"
    )
    child += "sys.modules[taken.__name__] = taken\nchild.main(Path(sys.argv[1]))\n"
    found = {}
    for path in (own, foreign):
        work = tmp_path / f"work-{path.name}"
        work.mkdir()
        request = {"path": str(own), "name": "own.txt", "limits": asdict(Limits()), "folder": None}
        (work / "request.json").write_text(json.dumps(request))
        subprocess.run(
            [sys.executable, "-c", child, work, READER.format(path=str(path))], check=True
        )
        found[path.name] = json.loads((work / "reply.json").read_text())
    assert found["own"]["blocks"] == [["text", "mine", None, None]]
    assert found["foreign"]["fault"]["message"] == "The file is damaged: PermissionError"


IMPORTING = """
import sys
from services.rag.extraction.confinement import FileAccess, restrict_files
assert restrict_files(FileAccess())
import installed
try:
    import beside
except PermissionError:
    sys.exit(0)
sys.exit("what lies in a folder without libraries was read")
"""


@pytest.mark.skipif(
    landlock_version() == 0,
    reason="not run: this kernel has no Landlock, nothing keeps a parser from other files",
)
def test_libraries_are_read_wherever_an_image_keeps_them(tmp_path: Path) -> None:
    libraries = tmp_path / "service"
    home = tmp_path / "home"
    for folder, module in ((libraries, "installed"), (home, "beside")):
        folder.mkdir()
        (folder / f"{module}.py").touch()
    (libraries / "installed-1.0.dist-info").mkdir()
    paths = os.pathsep.join(map(str, (Path(services.__file__).parents[1], libraries, home)))
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
