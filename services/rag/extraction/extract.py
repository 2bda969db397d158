"""Read a file from outside in a child process, and survive whatever happens to that."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog

from services.rag.extraction.confinement import landlock_version
from services.rag.extraction.model import DocumentBlock, Extraction, ExtractionError, Limits, Member

log = structlog.get_logger("luna.rag")

# Last words of the runtimes of C++, Rust and Python when memory ends.
_MEMORY_WORDS = (
    "bad_alloc",
    "memory allocation of",
    "MemoryError",
    "out of memory",
    "Out of memory",
    "Cannot allocate memory",
    "failed to map",
)


def extract(
    path: Path, *, name: str, limits: Limits | None = None, folder: Path | None = None
) -> Extraction:
    """Return a file's content, read by a confined process.

    The process has no network and no other files, and bounded memory and time.

    Args:
        path: of the file; nothing about its name counts.
        name: what its owner calls it, which tells kinds of text apart.
        folder: where the members of an archive or an e-mail are written, under names of our own;
            None: members are not kept.

    Raises:
        ExtractionError: it cannot be read, whatever it did to the process that read it.
    """
    _report_missing_landlock()
    limits = limits or Limits()
    size = path.stat().st_size
    if size > limits.bytes:
        raise ExtractionError(
            "too_large", f"The file has {size:,} bytes; at most {limits.bytes:,} are read"
        )
    if size == 0:
        raise ExtractionError("empty", "The file is empty")
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="luna-extraction-") as work:
        request = {
            "path": str(path.resolve()),
            "name": name,
            "limits": asdict(limits),
            "folder": str(folder.resolve()) if folder else None,
        }
        (Path(work) / "request.json").write_text(json.dumps(request))
        _run_child(Path(work), limits)
        written = Path(work) / "reply.json"
        # Not a link to elsewhere, and no longer than text may be, escaped.
        if written.is_symlink() or not written.is_file():
            raise ExtractionError("crashed", "The program that reads it left no result")
        if written.stat().st_size > 8 * limits.text_characters:
            raise ExtractionError(
                "too_large", f"It holds more than {limits.text_characters:,} characters of text"
            )
        try:
            reply: dict[str, Any] = json.loads(written.read_bytes())
        except ValueError as exc:
            raise ExtractionError("crashed", "The program that reads it left no result") from exc
        return parse_reply(reply)


def parse_reply(reply: dict[str, Any]) -> Extraction:
    """Return the content that a reply holds.

    Raises:
        ExtractionError: the reply is a fault.
    """
    if "fault" in reply:
        raise ExtractionError(**reply["fault"])
    blocks = [
        DocumentBlock(kind, text, page, level) for kind, text, page, level in reply.pop("blocks")
    ]
    members = [Member(name, Path(path), size) for name, path, size in reply.pop("members")]
    return Extraction(**reply, blocks=blocks, members=members)


@cache
def _report_missing_landlock() -> None:
    """Say once in a process that a parser is not kept from other files."""
    if landlock_version() == 0:
        log.warning(
            "a document's parser may read every file of Luna's account: this machine's "
            "kernel has no Landlock, or it is switched off"
        )


def _run_child(work: Path, limits: Limits) -> None:
    # No settings and no secrets: the environment says where the code is, and nothing else.
    environment = {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(work),
        "OMP_THREAD_LIMIT": "1",
    }
    options = ["-s", "-P"]
    if sys.pycache_prefix:
        options += ["-X", f"pycache_prefix={sys.pycache_prefix}"]
    with (work / "errors").open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, *options, "-m", "services.rag.extraction.child", str(work)],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            cwd=work,
            env=environment,
            close_fds=True,
            start_new_session=True,
        )
        try:
            status = child.wait(timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            raise ExtractionError(
                "took_too_long", f"Reading it took more than {limits.seconds} seconds"
            ) from None
        finally:
            # Processes that the child may have started are of its group.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if status == 0:
        return
    if status in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise ExtractionError(
            "took_too_long", f"Reading it took more than {limits.seconds} seconds of a processor"
        )
    if status == -signal.SIGXFSZ:
        raise ExtractionError("too_large", "It unpacks to more than is read")
    with (work / "errors").open("rb") as file:
        file.seek(max((work / "errors").stat().st_size - 4000, 0))
        stderr = file.read().decode("utf-8", "replace")
    names_memory = any(word in stderr for word in _MEMORY_WORDS)
    # PDFium aborts without a word where memory ends; other libraries say why they abort.
    aborts_silently = status == -signal.SIGABRT and not stderr.strip()
    if names_memory or aborts_silently:
        raise ExtractionError(
            "too_much_memory", f"Reading it took more than {limits.memory_bytes:,} bytes of memory"
        )
    raise ExtractionError("crashed", f"The program that reads it ended with status {status}")
