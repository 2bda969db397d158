"""A task that beat asks for, and that may be sent as a job: downloads that nobody used for a month
are removed.
"""

from tests.changes.change import Change, Edit

REQUEST = '''

class ForgetDownloadsReply(Message):
    """How many files were removed."""

    removed: int


class ForgetDownloadsRequest(Request):
    """Remove downloads that were kept for more than a month."""

    task: ClassVar[str] = "ingest.downloads.forget"
    reply: ClassVar[type[Message]] = ForgetDownloadsReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=6), "downloads", "time between two looks for old downloads"
    )
    public: ClassVar[bool] = True


'''

WORK = '''"""Downloads that are kept, and when they go."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from luna.contracts.job import ForgetDownloadsReply

KEPT = timedelta(days=30)


def forget_downloads(folder: Path, *, now: datetime) -> ForgetDownloadsReply:
    """Remove the files of a folder that are older than a month."""
    old = [
        path
        for path in folder.iterdir()
        if path.is_file() and now - datetime.fromtimestamp(path.stat().st_mtime, UTC) > KEPT
    ]
    for path in old:
        path.unlink()
    return ForgetDownloadsReply(removed=len(old))
'''

TASK = '''

@task(ForgetDownloadsRequest)
def forget_old_downloads(
    _request: ForgetDownloadsRequest, work: TaskContext
) -> ForgetDownloadsReply:
    """Remove old downloads."""
    return downloads.forget_downloads(work.settings.cache, now=work.clock.now())
'''

# Beat, a worker of the whole service and a Redis, each a process of its own; a database is not
# needed for this task.
PROOF = """
import contextlib, os, subprocess, sys, tempfile, time
from pathlib import Path
from luna.platform.embedded.supervisor import start
from luna.platform.settings import Settings
from services.api.app import create_app

document = create_app(Settings()).openapi()
assert (
    "ingest.downloads.forget"
    in document["components"]["schemas"]["JobSubmission"]["properties"]["task"]["enum"]
)
assert "ForgetDownloadsRequest" in document["components"]["schemas"]

cache = Path("var/cache")
cache.mkdir(parents=True)
old, new = cache / "old.whl", cache / "new.whl"
old.touch()
new.touch()
os.utime(old, (0, 0))


@contextlib.contextmanager
def running(*command, **environment):
    process = subprocess.Popen([sys.executable, "-m", *command], env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


with tempfile.TemporaryDirectory(prefix="luna-change-") as parent, contextlib.ExitStack() as stack:
    os.chmod(parent, 0o711)
    servers = stack.enter_context(start(Path(parent) / "servers", services=("redis",)))
    where = {
        "LUNA_REDIS_URL": servers.redis_url,
        "LUNA_DATABASE_URL": "postgresql://luna@127.0.0.1:9/none",
        "LUNA_WORKER_PROCESSES": "1",
    }
    stack.enter_context(
        running("luna.platform.queue.worker", "ingest", "--beat-seconds", "0.3", **where)
    )
    beat = stack.enter_context(
        running(
            "luna.platform.queue.beat", "--turn-seconds", "0.3", "--downloads-seconds", "1", **where
        )
    )
    deadline = time.monotonic() + 90
    while old.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not old.exists(), "nobody asked for it, or nobody did it"
    # It is asked for again and again.
    os.utime(new, (0, 0))
    while new.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not new.exists(), "it was asked for once"
    assert beat.poll() is None
"""

CHANGE = Change(
    name="a periodic task",
    edits=(
        Edit("luna/contracts/job.py", REQUEST, after="Bilingual = dict[Language, str]"),
        Edit(
            "luna/contracts/tasks.py",
            "from luna.contracts.job import ForgetDownloadsRequest\n",
            after="from luna.contracts.message import Request, Schedule",
        ),
        Edit(
            "luna/contracts/tasks.py",
            "    ForgetDownloadsRequest,\n",
            after="REQUESTS: tuple[type[Request], ...] = (",
        ),
        Edit("services/ingest/downloads.py", WORK),
        Edit(
            "services/ingest/tasks.py",
            "from luna.contracts.job import ForgetDownloadsReply, ForgetDownloadsRequest\n"
            "from services.ingest import downloads\n",
            after="from services.ingest.demo_data.storing import load_and_store",
        ),
        Edit("services/ingest/tasks.py", TASK, after='NEEDS = ("database", "redis", "objects")'),
    ),
    proof=PROOF,
)
