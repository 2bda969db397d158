"""Load by external callers over HTTP and MQTT, one thread each.

Acknowledgements go into the ledger, all responses are counted.
"""

import hashlib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import httpx
import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from bench.background import BackgroundThreads
from bench.chaos.contents import (
    ASKED_KW,
    HOME,
    METER,
    METER_SENSOR,
    OFFICE,
    SHED,
    Contents,
    describe_office,
    describe_sites,
)
from bench.chaos.stack import Stack
from bench.ledger import Ledger
from bench.stack import owner_headers
from bench.waiting import wait_until

# Time limit of retries with the same idempotency key, and of a single request.
PATIENCE_SECONDS = 20.0
ANSWER_SECONDS = 15.0
WAIT_SECONDS = 1.0
SUBSCRIBED_SECONDS = 300.0
STORED_QUERY = (
    "SELECT max(value) FROM sensor_readings JOIN sensors USING (sensor_key) WHERE name = %s"
)
SOC = "inverter/soc"
INVERTER = "inverter/+/set"


class LostPatienceError(Exception):
    """Nothing was acknowledged in time."""


@dataclass
class Seen:
    """Observations of the callers: responses by caller and kind, and begin and end of each success
    by the monotonic clock.
    """

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    worked: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def first_since(self, function: str, since: float) -> float | None:
        """Return the end of a function's first success that began at or after ``since``, None
        without one.
        """
        return next((done for begun, done in self.worked[function] if begun >= since), None)


class Load(BackgroundThreads):
    """All callers of one stack; they call while the block runs."""

    def __init__(self, stack: Stack, ledger: Ledger, contents: Contents, broker_port: int) -> None:
        super().__init__(
            *(partial(self._repeat, name, *caller) for name, caller in self.callers.items())
        )
        self.seen = Seen()
        self._stack = stack
        self._ledger = ledger
        self._contents = contents
        self._numbers: dict[str, Iterator[int]] = defaultdict(count)
        headers = owner_headers(stack.folder)
        limits = httpx.Limits(max_connections=50)
        self._http = httpx.Client(
            base_url=stack.url,
            headers=headers,
            trust_env=False,
            timeout=ANSWER_SECONDS,
            limits=limits,
        )
        self._published: list[tuple[int, float]] = []
        self._heard = threading.Condition()
        self._commands = 0
        self._mqtt = self._connect(broker_port)

    @property
    def callers(self) -> dict[str, tuple[Callable[[int], float | None], float]]:
        """The functions that are called repeatedly with a running number, and their periods in
        seconds.

        A function returns on success and raises otherwise; it returns the begin of what succeeded
        where that precedes the call.
        """
        return {
            "plan": (self._plan, 1.0),
            "job": (self._job, 1.0),
            "file": (self._file, 1.0),
            "live reading": (self._publish, 0.1),
            "stored reading": (self._look_for_stored, 0.5),
            "block": (self._block, 1.0),
            "setting": (self._change_setting, 1.0),
            "document": (self._document, 4.0),
            "search": (self._search, 1.0),
            "command": (self._override, 2.0),
        }

    def prepare(self) -> None:
        """Store the sites and arm the one with an inverter."""
        for site in describe_sites():
            self._http.post("/v1/sites", json=site).raise_for_status()
        self._http.post(f"/v1/sites/{HOME}/control/arm", json={}).raise_for_status()
        # The broker drops messages without subscribers: acknowledgements count only after a first
        # reading has arrived.
        wait_until(
            self._is_heard,
            seconds=SUBSCRIBED_SECONDS,
            what="the recorder hears the broker",
            despite=(psycopg.Error,),
        )

    def _is_heard(self) -> bool:
        self._mqtt.publish(METER, "0", qos=1).wait_for_publish(ANSWER_SECONDS)
        time.sleep(1)
        with self._stack.database() as connection:
            return connection.execute(STORED_QUERY, (METER_SENSOR,)).fetchall() != [(None,)]

    def close(self) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()
        self._http.close()

    def _repeat(self, name: str, work: Callable[[int], float | None], every: float) -> None:
        while not self._done.is_set():
            begun = time.monotonic()
            with suppress(LostPatienceError, psycopg.Error, OSError, KeyError):
                began = work(next(self._numbers[name])) or begun
                self.seen.worked[name].append((began, time.monotonic()))
            self._done.wait(max(0.0, begun + every - time.monotonic()))

    def _plan(self, number: int) -> None:
        plan = self._ask(
            "plan", "POST", "/v1/plans", key=f"plan-{number}", json=self._contents.plan(number)
        ).json()
        batteries = [(slot["mode"], slot["batteries"]["battery"]) for slot in plan["slots"]]
        setpoints = [
            [mode, battery["charge_kwh"], battery["discharge_kwh"], battery["soc_end"]]
            for mode, battery in batteries
        ]
        self._ledger.acknowledge(
            "plan", soc=self._contents.soc(number), plan_id=plan["plan_id"], setpoints=setpoints
        )

    def _job(self, number: int) -> None:
        instant = self._contents.issued_at(number)
        request = {"site_id": SHED, "at": instant, "forecast_version": "baseline_7_day_avg"}
        order = {"task": "forecaster.forecast.issue", "request": request, "key": f"job-{number}"}
        job = self._ask("job", "POST", "/v1/jobs", key=f"job-{number}", json=order).json()
        self._ledger.acknowledge("job", job_id=job["job_id"], key=job["key"], issued_at=instant)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and not self._done.wait(0.2):
            with suppress(httpx.HTTPError, ValueError, KeyError):
                if self._http.get(f"/v1/jobs/{job['job_id']}").json()["status"] in {
                    "done",
                    "failed",
                    "dead",
                }:
                    return
        raise LostPatienceError

    def _file(self, number: int) -> None:
        file = (f"readings-{number}.csv", self._contents.file(number))
        job = self._ask(
            "file",
            "POST",
            f"/v1/sites/{SHED}/uploads",
            data={"kind": "readings"},
            files={"file": file},
        ).json()
        self._ledger.acknowledge("file", job_id=job["job_id"], rows=self._contents.rows(number))

    def _publish(self, number: int) -> None:
        begun = time.monotonic()
        value = number + 1
        message = self._mqtt.publish(METER, str(value), qos=1)
        with suppress(RuntimeError, ValueError):
            message.wait_for_publish(ANSWER_SECONDS)
        if not message.is_published():
            raise LostPatienceError
        self._ledger.acknowledge("live", value=value)
        self._published.append((value, begun))

    def _look_for_stored(self, _number: int) -> float:
        """Return when the newest stored reading was published.

        Raise without a new one since the last look.
        """
        with self._stack.database() as connection:
            [[newest]] = connection.execute(STORED_QUERY, (METER_SENSOR,)).fetchall()
        published = None
        while newest is not None and self._published and self._published[0][0] <= newest:
            _, published = self._published.pop(0)
        if published is None:
            raise LostPatienceError
        return published

    def _block(self, number: int) -> None:
        block = self._contents.block(number)
        stored = self._ask(
            "block", "POST", f"/v1/sites/{SHED}/manual-blocks", key=f"block-{number}", json=block
        ).json()
        self._ledger.acknowledge("block", block_id=stored["block_id"], starts_at=block["from"])

    def _change_setting(self, number: int) -> None:
        change = number + 1
        version = self._ask("setting", "GET", f"/v1/sites/{OFFICE}").headers["ETag"]
        # No retries: if the response was lost, the version read next shows whether the change was
        # made.
        self._ask(
            "setting",
            "PUT",
            f"/v1/sites/{OFFICE}",
            patience=0,
            json=describe_office(change),
            headers={"If-Match": version},
        )
        self._ledger.acknowledge("setting", change=change)

    def _document(self, number: int) -> None:
        content = self._contents.text(number)
        stored = self._ask(
            "document", "POST", "/v1/documents", files={"file": (f"note-{number}.txt", content)}
        ).json()
        sha256 = hashlib.sha256(content).hexdigest()
        self._ledger.acknowledge(
            "document", document_id=stored["documents"][0]["document_id"], sha256=sha256
        )

    def _search(self, number: int) -> None:
        self._ask(
            "search",
            "POST",
            "/v1/search",
            json={"query": f"battery note {number}", "retriever": "sparse", "k": 1},
        )

    def _override(self, number: int) -> None:
        """Override the battery with ten times the inverter's power, charging or discharging, and
        wait until it receives a command.
        """
        until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
        override = {
            "mode": ("charge", "export")[number % 2],
            "power_kw": ASKED_KW + number % 7,
            "until": until,
        }
        before = self._commands
        self._ask("command", "PUT", f"/v1/sites/{HOME}/control/overrides/batteries", json=override)
        with self._heard:
            if not self._heard.wait_for(lambda: self._commands > before, PATIENCE_SECONDS):
                raise LostPatienceError

    def _ask(
        self,
        caller: str,
        method: str,
        path: str,
        *,
        key: str | None = None,
        patience: float = PATIENCE_SECONDS,
        **content: Any,
    ) -> httpx.Response:
        """Send a request, with retries for ``patience`` seconds, and return the successful
        response.

        Raises:
            LostPatienceError: no request succeeded.
        """
        headers = {**content.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        deadline = time.monotonic() + patience
        while True:
            pause = WAIT_SECONDS
            try:
                answer = self._http.request(method, path, headers=headers, **content)
            except httpx.HTTPError as error:
                self.seen.answers[caller, type(error).__name__] += 1
            else:
                self.seen.answers[caller, _describe(answer)] += 1
                if answer.is_success:
                    return answer
                pause = float(answer.headers.get("Retry-After", WAIT_SECONDS))
            if time.monotonic() + pause > deadline or self._done.wait(pause):
                raise LostPatienceError

    def _connect(self, port: int) -> paho.Client:
        """Return the MQTT client of meter and inverter.

        The inverter follows commands and publishes its state.
        """
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="chaos", clean_session=False)
        client.reconnect_delay_set(1, 1)
        client.on_message = self._follow
        client.on_connect = lambda each, *_: each.subscribe(INVERTER, 1)
        client.connect("127.0.0.1", port)
        client.loop_start()
        client.publish(SOC, "50", qos=1, retain=True)
        return client

    def _follow(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        value = message.payload.decode()
        self._ledger.acknowledge("command", topic=message.topic, value=value)
        client.publish(message.topic.removesuffix("/set"), value, qos=1, retain=True)
        with self._heard:
            self._commands += 1
            self._heard.notify_all()


def _describe(answer: httpx.Response) -> str:
    """Return the status.

    For an error also the problem's title and whether ``Retry-After`` is set.
    """
    if answer.is_success:
        return str(answer.status_code)
    with suppress(ValueError):
        return (
            f"{answer.status_code} "
            f"{answer.json()['title']}"
            f"{', Retry-After' if 'Retry-After' in answer.headers else ''}"
        )
    return f"{answer.status_code} without a problem document"
