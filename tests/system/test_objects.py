"""The store of objects: one contract for both adapters, against files and real S3 servers, then
what an S3 server can do to it.
"""

import itertools
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from luna.energy.errors import (
    FullError,
    InvalidInputError,
    LunaError,
    MachineError,
    NotFoundError,
    UnavailableError,
)
from luna.platform.objects import FileObjects, ObjectStore, S3Objects
from luna.platform.objects.s3 import ABSENT
from tests.support.database.object_servers import (
    OUTSIDE,
    PASSWORD,
    answer_with,
    open_outside,
    open_server,
    refusal,
    run_moto,
    session_silent,
)
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row
from tests.support.worker.processes import free_port

STORES = ("files", "s3", *(("outside",) if OUTSIDE else ()))
OPERATIONS: dict[str, Callable[[ObjectStore], object]] = {
    "put": lambda store: store.put("aurora/model", b"trees"),
    "put_stream": lambda store: store.put_stream("aurora/model", iter((b"tr", b"ees"))),
    "get": lambda store: store.get("aurora/model"),
    "fetch": lambda store: store.fetch("aurora/model", Path(os.devnull)),
    "move": lambda store: store.move("aurora/model", "aurora/moved"),
    "list_all": lambda store: store.list_all(),
    "remove_older": lambda store: store.remove_older("aurora", datetime.now(UTC)),
    "remove": lambda store: store.remove("aurora/model"),
    "probe": lambda store: store.probe(),
}
every_operation = each_row("operation", OPERATIONS.values(), ids=OPERATIONS)
# A probe asks from a process of its own.
FEW = ("put", "get", "probe")
few_operations = (
    every_operation if LONG else each_row("operation", [OPERATIONS[name] for name in FEW], ids=FEW)
)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Objects]:
    with run_moto(tmp_path_factory.mktemp("moto") / "log") as objects:
        yield objects


@pytest.fixture(params=STORES)
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    stores = {
        "files": lambda: FileObjects(tmp_path / "objects"),
        "s3": lambda: request.getfixturevalue("s3"),
        "outside": lambda: open_outside(OUTSIDE or ""),
    }
    store: ObjectStore = stores[request.param]()
    return store


@pytest.fixture
def key() -> str:
    return f"contract/{uuid4().hex}.json.gz"


class TestContract:
    """What every store of objects keeps to."""

    @pytest.mark.parametrize(
        "content",
        [b"", b"trees", bytes(range(256)) * 40_000],
        ids=["nothing", "a word", "ten megabytes"],
    )
    def test_what_is_put_is_what_one_gets(
        self, objects: ObjectStore, key: str, content: bytes
    ) -> None:
        objects.put(key, content)
        assert objects.get(key) == content

    def test_what_comes_in_pieces_is_stored_whole(
        self, objects: ObjectStore, key: str, tmp_path: Path
    ) -> None:
        pieces = [bytes([place]) * 1_000_000 for place in range(20)]
        objects.put_stream(key, iter(pieces))
        objects.fetch(key, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == b"".join(pieces)

    def test_pieces_that_end_early_leave_what_was_there(
        self, objects: ObjectStore, key: str
    ) -> None:
        def broken() -> Iterator[bytes]:
            yield bytes(9_000_000)
            raise EOFError("the caller hung up")

        objects.put(key, b"before")
        with pytest.raises(EOFError, match="hung up"):
            objects.put_stream(key, broken())
        assert objects.get(key) == b"before"

    def test_what_is_removed_is_gone_and_may_be_removed_again(
        self, objects: ObjectStore, key: str
    ) -> None:
        objects.put(key, b"trees")
        objects.remove(key)
        objects.remove(key)
        with pytest.raises(NotFoundError):
            objects.get(key)

    def test_what_is_moved_is_there_under_its_new_key_alone(
        self, objects: ObjectStore, key: str
    ) -> None:
        objects.put(key, b"first")
        objects.put(f"moved/{key}", b"second")
        objects.move(key, f"moved/{key}")
        assert objects.get(f"moved/{key}") == b"first"
        with pytest.raises(NotFoundError):
            objects.get(key)
        with pytest.raises(NotFoundError):
            objects.move(key, f"moved/{key}")
        assert objects.get(f"moved/{key}") == b"first"

    def test_what_is_older_than_an_instant_is_removed_below_a_key_alone(
        self, objects: ObjectStore
    ) -> None:
        folder = f"old{uuid4().hex}"
        beside = f"kept{uuid4().hex}"
        for key in (f"{folder}/a", f"{folder}/b", beside):
            objects.put(key, b"trees")
        hour = timedelta(hours=1)
        assert objects.remove_older(folder, datetime.now(UTC) - hour) == 0
        assert objects.remove_older(folder, datetime.now(UTC) + hour) == 2
        assert objects.get(beside) == b"trees"
        assert objects.remove_older(folder, datetime.now(UTC) + hour) == 0

    def test_all_are_listed_with_their_size_in_order(self, objects: ObjectStore) -> None:
        folder = f"list{uuid4().hex}"
        sizes = {f"{folder}/{name}": size for name, size in (("b", 3), ("a/x", 0), ("c", 70_000))}
        for key, size in sizes.items():
            objects.put(key, bytes(size))
        listed = [stored for stored in objects.list_all() if stored.key.startswith(folder)]
        assert [(stored.key, stored.bytes) for stored in listed] == sorted(sizes.items())
        assert all(
            abs(datetime.now(UTC) - stored.modified) < timedelta(minutes=5) for stored in listed
        )

    def test_nothing_is_fetched_where_nothing_is(
        self, objects: ObjectStore, key: str, tmp_path: Path
    ) -> None:
        with pytest.raises(NotFoundError):
            objects.fetch(key, tmp_path / "copy")

    def test_a_file_that_cannot_be_written_is_named(
        self, objects: ObjectStore, key: str, tmp_path: Path
    ) -> None:
        objects.put(key, b"trees")
        with pytest.raises(MachineError, match="nowhere"):
            objects.fetch(key, tmp_path / "nowhere" / "copy")

    def test_the_last_put_counts(self, objects: ObjectStore, key: str) -> None:
        objects.put(key, b"first")
        objects.put(key, b"second, longer")
        objects.put(key, b"third")
        assert objects.get(key) == b"third"

    def test_what_was_never_put_is_not_found(self, objects: ObjectStore, key: str) -> None:
        with pytest.raises(NotFoundError, match="no such object") as caught:
            objects.get(key)
        assert caught.value.value == key

    def test_part_of_a_key_is_not_found(self, objects: ObjectStore, key: str) -> None:
        objects.put(key, b"trees")
        with pytest.raises(NotFoundError):
            objects.get("contract")
        with pytest.raises(NotFoundError):
            objects.get(f"{key}/more")

    def test_no_key_leads_elsewhere(self, objects: ObjectStore) -> None:
        with pytest.raises(InvalidInputError, match="no object's key"):
            objects.put("../elsewhere", b"")
        with pytest.raises(InvalidInputError, match="no object's key"):
            objects.get("/etc/hostname")

    def test_many_at_once_do_not_disturb_each_other(self, objects: ObjectStore, key: str) -> None:
        contents = [bytes([number]) * 50_000 for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda content: objects.put(key, content), contents))
        assert objects.get(key) in contents

    def test_a_probe_says_what_stands_ready_and_stores_nothing(self, objects: ObjectStore) -> None:
        assert objects.probe()
        with pytest.raises(NotFoundError):
            objects.get(ABSENT)


def test_the_probe_names_bucket_and_server(s3: S3Objects) -> None:
    assert s3.probe() == f"{s3.url}/luna"


def test_objects_outlive_the_store_that_put_them(s3: S3Objects, key: str) -> None:
    s3.put(key, b"trees")
    assert replace(s3).get(key) == b"trees"


def test_variables_of_the_environment_lead_nowhere_else(
    s3: S3Objects, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = {
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_REGION": "eu-west-1",
        "AWS_S3_EXPRESS": "true",
    }
    for name, value in (
        elsewhere
        | {"AWS_SESSION_TOKEN": "other", "AWS_SKIP_SIGNATURE": "true", "AWS_ACCESS_KEY_ID": "other"}
    ).items():
        monkeypatch.setenv(name, value)
    store = replace(s3)
    store.put(key, b"trees")
    assert store.get(key) == b"trees"
    assert "luna" in store.probe()


@every_operation
@each_row(
    ("change", "setting"),
    [
        ({"secret_key": PASSWORD}, "LUNA_OBJECTS_SECRET_KEY"),
        ({"access_key": "stranger"}, "LUNA_OBJECTS_ACCESS_KEY"),
        ({"bucket": "elsewhere"}, "LUNA_OBJECTS_BUCKET"),
    ],
    ids=["password", "user", "bucket"],
)
def test_a_wrong_setting_is_named(
    s3: S3Objects, operation: Callable[[ObjectStore], object], change: dict[str, str], setting: str
) -> None:
    with pytest.raises(MachineError) as caught:
        operation(replace(s3, **change))
    assert caught.value.field == setting
    assert caught.value.remedy
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


FORKING = """
import os, sys
from luna.energy.errors import LunaError
from luna.platform.objects import S3Objects

store = S3Objects(*sys.argv[2:])
getattr(store, sys.argv[1])(*[["fork/key", b"trees"], []][sys.argv[1] == "probe"])
child = os.fork()
if not child:
    try:
        store.put("fork/key", b"leaves")
    except LunaError as error:
        print(error.message, flush=True)
        os._exit(3)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def fork_after(operation: str, store: S3Objects) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", FORKING, operation, *astuple(store)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_that_probed_may_fork(s3: S3Objects) -> None:
    assert fork_after("probe", s3).returncode == 0
    assert s3.get("fork/key") == b"leaves"


def test_a_process_forked_too_late_is_told_so_instead_of_waiting(s3: S3Objects) -> None:
    done = fork_after("put", s3)
    assert (done.returncode, done.stdout) == (
        3,
        "the S3 server was asked before this process was forked\n",
    )


def check(
    store: S3Objects, operation: Callable[[ObjectStore], object], kind: type[LunaError], words: str
) -> LunaError:
    """Hold that the operation fails in this way and tells no secret; return the error."""
    with pytest.raises(kind, match=words) as caught:
        operation(store)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value)) + repr(store)
    return caught.value


REFUSALS: list[tuple[int, str, type[LunaError], str]] = [
    (507, "XMinioStorageFull", FullError, "Free some space"),
    (507, "", FullError, "Free some space"),
    (400, "XMinioAdminBucketQuotaExceeded", FullError, "Free some space"),
    (503, "SlowDown", UnavailableError, "it answers 503"),
    (500, "InternalError", UnavailableError, "it answers 500"),
    (429, "", UnavailableError, "it answers 429"),
    (403, "SignatureDoesNotMatch", MachineError, "LUNA_OBJECTS_SECRET_KEY"),
    (403, "InvalidAccessKeyId", MachineError, "LUNA_OBJECTS_ACCESS_KEY.*'luna'"),
    (403, "AccessDenied", MachineError, "LUNA_OBJECTS_ACCESS_KEY.*read, write and list"),
    (401, "", MachineError, "LUNA_OBJECTS_ACCESS_KEY"),
    (404, "NoSuchBucket", MachineError, "LUNA_OBJECTS_BUCKET.*'luna'"),
    (400, "AuthorizationHeaderMalformed", MachineError, "LUNA_OBJECTS_REGION.*'us-east-1'"),
    (301, "PermanentRedirect", MachineError, "LUNA_OBJECTS_REGION.*'us-east-1'"),
    (403, "RequestTimeTooSkewed", MachineError, "clock"),
    (400, "InvalidRequest", MachineError, "LUNA_OBJECTS_URL.*InvalidRequest"),
    (404, "", MachineError, "no S3 server"),
]
# In a long run each operation meets each refusal, in a short one each of both meets another.
MET = (
    itertools.product(OPERATIONS.items(), REFUSALS)
    if LONG
    else zip(itertools.cycle(OPERATIONS.items()), REFUSALS, strict=False)
)


@each_row(
    ("operation", "status", "code", "kind", "words"),
    [
        pytest.param(operation, *refusal, id=f"{name} {refusal[0]} {refusal[1]}")
        for (name, operation), refusal in MET
    ],
)
def test_each_refusal_says_what_to_do(
    operation: Callable[[ObjectStore], object],
    status: int,
    code: str,
    kind: type[LunaError],
    words: str,
) -> None:
    with answer_with(status, refusal(code) if code else b"") as url:
        assert check(open_server(url), operation, kind, words).remedy


@pytest.mark.parametrize(
    "operation", [OPERATIONS["put"], OPERATIONS["probe"]], ids=["put", "probe"]
)
def test_a_server_that_is_no_s3_server_is_found_out(
    operation: Callable[[ObjectStore], object],
) -> None:
    with answer_with(200, b"<html>Welcome</html>") as url:
        check(open_server(url), operation, MachineError, "no S3 server")


@few_operations
def test_a_server_that_is_away_is_unavailable(operation: Callable[[ObjectStore], object]) -> None:
    check(
        open_server(f"http://127.0.0.1:{free_port()}"),
        operation,
        UnavailableError,
        "LUNA_OBJECTS_URL.*is away",
    )


@few_operations
def test_a_name_that_nobody_knows_is_unavailable(
    operation: Callable[[ObjectStore], object],
) -> None:
    check(open_server("http://nowhere.invalid:9000"), operation, UnavailableError, "is away")


def test_a_server_that_hangs_is_given_up() -> None:
    with session_silent() as url, ThreadPoolExecutor(len(OPERATIONS)) as pool:
        began = time.monotonic()
        list(
            pool.map(
                lambda operation: check(
                    open_server(url), operation, UnavailableError, "does not answer"
                ),
                OPERATIONS.values(),
            )
        )
        # Five seconds are promised; the rest is for a machine that is busy.
        assert time.monotonic() - began < 15


@pytest.mark.parametrize("operation", [OPERATIONS["put"], OPERATIONS["get"]], ids=["put", "get"])
def test_an_image_without_the_library_says_which_service_has_it(
    operation: Callable[[ObjectStore], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.setitem(sys.modules, "obstore.exceptions", None)
    check(
        open_server("http://minio:9000"),
        operation,
        MachineError,
        "'obstore'.*Ask a service that has it",
    )


@each_row(
    "url",
    [
        "minio:9000",
        "ftp://minio:9000",
        "http://",
        "http://minio:70000",
        "http://minio:9000/luna",
        "http://minio:9000?a=b",
        "http://luna:do-not-tell-anyone@minio:9000",
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(MachineError) as caught:
        open_server(url)
    assert caught.value.field == "LUNA_OBJECTS_URL"
    assert PASSWORD not in str(caught.value)
