"""Audit of the database against the ledger: acknowledged records that are lost or duplicated, and
set-points beyond limits.

It queries PostgreSQL by its own SQL, independent of Luna's code but for names of tables and
columns.
"""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from bench.chaos.contents import FILE_SENSOR, HOME, LIMIT_KW, METER_SENSOR, OFFICE, SHED
from bench.ledger import Entry

TOLERANCE = 1e-6
FLOOR_SOC = 0.1
CEILING_SOC = 1.0
PLANS = "SELECT plan_id, packed_inputs, packed_reply FROM plan_history WHERE site = 'example'"
JOBS = "SELECT job_id, key, status, reply IS NOT NULL, error IS NOT NULL FROM jobs WHERE"
FORECASTS = (
    "SELECT issued_at, count(*) FROM slot_forecasts JOIN sites USING (site_key) WHERE name = "
    "%s AND forecast_version = %s GROUP BY 1"
)
READINGS = (
    "SELECT instant, value FROM sensor_readings JOIN sensors USING (sensor_key) JOIN sites "
    "USING (site_key) WHERE sites.name = %s AND sensors.name = %s"
)
BLOCKS = "SELECT starts_at FROM manual_blocks JOIN sites USING (site_key) WHERE name = %s"
IMPORT_LIMITS = (
    "SELECT (configuration #>> '{grid,import_limit_kw}')::float8 FROM site_versions JOIN sites "
    "USING (site_key) WHERE name = %s ORDER BY version"
)
DOCUMENTS = "SELECT document_id, sha256, state FROM documents WHERE name LIKE 'note-%%'"
PASSAGES = (
    "SELECT document_id, count(*) FROM chunks JOIN documents USING (document_id) WHERE name "
    "LIKE 'note-%%' GROUP BY 1 HAVING count(*) > 1"
)


Query = Callable[..., list[Any]]


@dataclass
class Findings:
    """The audit's result: the number of acknowledged records by kind, and each fault in words."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    beyond_limits: list[str] = field(default_factory=list)
    job_ends: Counter[str] = field(default_factory=Counter)
    unacknowledged: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> list[str]:
        """All faults."""
        return [*self.lost, *self.doubled, *self.wrong, *self.beyond_limits]

    def compare(self, what: str, acknowledged: Iterable[Any], stored: Iterable[Any]) -> None:
        """Record lost and duplicated items."""
        counts = Counter(stored)
        acknowledged = list(acknowledged)
        self.lost += [f"{what} {each}" for each in acknowledged if counts[each] == 0]
        self.doubled += [
            f"{what} {each} is there {number} times"
            for each, number in counts.items()
            if number > 1
        ]
        self.unacknowledged[what] = len(counts.keys() - set(acknowledged))

    def judge_ends(self, acknowledged: Iterable[Entry], rows: Iterable[tuple[Any, ...]]) -> None:
        """Record accepted jobs that did not end with exactly one reply or error, and those that
        failed.
        """
        accepted = {entry["job_id"] for entry in acknowledged}
        for job_id, _, status, replied, failed in rows:
            self.job_ends[status] += 1
            ended = (status == "done" and replied and not failed) or (
                status in {"failed", "dead"} and failed and not replied
            )
            if job_id in accepted and not ended:
                self.lost.append(
                    f"job {job_id} is {status}, with reply: {replied}, with error: {failed}"
                )
            elif job_id in accepted and status != "done":
                self.wrong.append(
                    f"job {job_id} is {status}, and nothing was wrong with what was asked"
                )


def audit(entries: Sequence[Entry], database: psycopg.Connection) -> Findings:
    """Compare all acknowledged records with the stored ones."""
    findings = Findings()

    def query(statement: str, *values: object) -> list[Any]:
        return database.execute(statement.encode(), values).fetchall()

    for kind, look in LOOKS.items():
        acknowledged = [entry for entry in entries if entry["kind"] == kind]
        findings.acknowledged[kind] = len(acknowledged)
        look(acknowledged, query, findings)
    return findings


def _look_at_plans(entries: list[Entry], query: Query, findings: Findings) -> None:
    stored = {
        plan_id: (_unpack(inputs)["state"]["batteries"]["battery"]["soc"], _unpack(reply)["slots"])
        for plan_id, inputs, reply in query(PLANS)
    }
    findings.compare(
        "plan of state", [entry["soc"] for entry in entries], [soc for soc, _ in stored.values()]
    )
    for entry in entries:
        plan_id = entry["plan_id"]
        if plan_id not in stored:
            findings.lost.append(f"plan {plan_id}")
        elif stored[plan_id][0] != entry["soc"]:
            findings.wrong.append(
                f"plan {plan_id} begins with {stored[plan_id][0]}, and was issued for "
                f"{entry['soc']}"
            )
        elif _setpoints(stored[plan_id][1]) != entry["setpoints"]:
            findings.wrong.append(
                f"plan {plan_id} is stored with other set-points than it was answered with"
            )
        findings.beyond_limits += [
            f"plan {plan_id}: {setpoint}"
            for setpoint in entry["setpoints"]
            if _is_beyond(*setpoint)
        ]


def _is_beyond(_mode: str, charge_kwh: float, discharge_kwh: float, soc: float) -> bool:
    # A slot of the example is an hour, so kWh are kW.
    within = (
        -TOLERANCE
        <= min(charge_kwh, discharge_kwh)
        <= max(charge_kwh, discharge_kwh)
        <= LIMIT_KW + TOLERANCE
    )
    return not (within and FLOOR_SOC - TOLERANCE <= soc <= CEILING_SOC + TOLERANCE)


def _unpack(packed: bytes) -> dict[str, Any]:
    # A second line holds the long series of a request.
    document: dict[str, Any] = json.loads(zlib.decompress(packed).partition(b"\n")[0])
    return document


def _setpoints(slots: dict[str, Any]) -> list[list[Any]]:
    battery = slots["batteries"]["battery"]
    return [
        list(row)
        for row in zip(
            slots["mode"],
            battery["charge_kwh"],
            battery["discharge_kwh"],
            battery["soc_end"],
            strict=True,
        )
    ]


def _look_at_jobs(entries: list[Entry], query: Query, findings: Findings) -> None:
    rows = query(f"{JOBS} key LIKE '%%job-%%'")
    findings.compare(
        "job of key", [entry["key"] for entry in entries], [key for _, key, *_ in rows]
    )
    findings.judge_ends(entries, rows)
    slots = dict(query(FORECASTS, SHED, "baseline_7_day_avg"))
    done = {job_id for job_id, _, status, *_ in rows if status == "done"}
    for entry in entries:
        if (
            entry["job_id"] in done
            and (count := slots.get(datetime.fromisoformat(entry["issued_at"]), 0)) != 192
        ):
            findings.wrong.append(
                f"job {entry['job_id']} is done and its forecast of {entry['issued_at']} "
                f"has {count} of 192 slots"
            )


def _look_at_files(entries: list[Entry], query: Query, findings: Findings) -> None:
    sent = [
        (datetime.fromisoformat(instant), value)
        for entry in entries
        for instant, value in entry["rows"]
    ]
    stored = query(READINGS, SHED, FILE_SENSOR)
    findings.compare(
        "row of a file", [instant for instant, _ in sent], [instant for instant, _ in stored]
    )
    values = dict(stored)
    findings.wrong += [
        f"row {at} of a file holds {values[at]} in place of {value}"
        for at, value in sent
        if at in values and values[at] != value
    ]
    findings.judge_ends(entries, query(f"{JOBS} task = 'ingest.file.load'"))


def _look_at_live(entries: list[Entry], query: Query, findings: Findings) -> None:
    # Zeros were sent before the recorder had subscribed.
    findings.compare(
        "live reading",
        [entry["value"] for entry in entries],
        [int(value) for _, value in query(READINGS, HOME, METER_SENSOR) if value],
    )


def _look_at_blocks(entries: list[Entry], query: Query, findings: Findings) -> None:
    stored = [starts_at for [starts_at] in query(BLOCKS, SHED)]
    findings.compare(
        "block from", [datetime.fromisoformat(entry["starts_at"]) for entry in entries], stored
    )


def _look_at_settings(entries: list[Entry], query: Query, findings: Findings) -> None:
    stored = [round(limit - 10) for [limit] in query(IMPORT_LIMITS, OFFICE)]
    findings.compare(
        "change of a site",
        [entry["change"] for entry in entries],
        [change for change in stored if change],
    )
    # A single caller makes the changes in sequence.
    if stored != sorted(stored):
        findings.wrong.append(
            "changes of a site are stored in another order than they were made in"
        )


def _look_at_documents(entries: list[Entry], query: Query, findings: Findings) -> None:
    rows = query(DOCUMENTS)
    findings.compare(
        "document of SHA-256",
        [entry["sha256"] for entry in entries],
        [sha256 for _, sha256, _ in rows],
    )
    acknowledged = {entry["document_id"] for entry in entries}
    findings.lost += [
        f"document {key} is {state}"
        for key, _, state in rows
        if key in acknowledged and state != "searchable"
    ]
    findings.doubled += [
        f"the only passage of document {key} is there {number} times"
        for key, number in query(PASSAGES)
    ]


def _look_at_commands(entries: list[Entry], _query: Query, findings: Findings) -> None:
    """Check that the set-points the inverter received are within limits.

    They are no acknowledgements.
    """
    powers = [entry["value"] for entry in entries if entry["topic"].endswith("power/set")]
    findings.beyond_limits += [
        f"the inverter was told {value} W"
        for value in powers
        if not 0 <= float(value) <= LIMIT_KW * 1000
    ]


LOOKS: dict[str, Callable[[list[Entry], Query, Findings], None]] = {
    "plan": _look_at_plans,
    "job": _look_at_jobs,
    "file": _look_at_files,
    "live": _look_at_live,
    "block": _look_at_blocks,
    "setting": _look_at_settings,
    "document": _look_at_documents,
    "command": _look_at_commands,
}
