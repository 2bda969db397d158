"""Logs: few streams, nothing lost while Loki is away, nothing kept for longer than said, nothing
sent elsewhere.
"""

from typing import Any

import yaml

from tests.support.metrics.promql import ROOT

INFRA = ROOT / "infra"


def load(name: str) -> Any:
    return yaml.load((INFRA / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


COLLECTOR = load("fluent-bit/fluent-bit.yaml")
LOKI = load("loki/loki.yml")
COMPOSE = load("../docker-compose.yml")["services"]
(TAIL,) = COLLECTOR["pipeline"]["inputs"]
(OUTPUT,) = COLLECTOR["pipeline"]["outputs"]


def hours(duration: str) -> int:
    return int(duration.removesuffix("h"))


def test_streams_are_told_apart_by_service_and_level_alone() -> None:
    labels = dict(part.strip().split("=", 1) for part in OUTPUT["labels"].split(","))
    assert labels == {
        "job": "luna",
        "service": "$attrs['com.docker.compose.service']",
        "level": "$level",
    }


def test_only_lines_of_this_project_are_taken_and_none_of_the_collector_itself() -> None:
    kept = [
        (rule.get("regex"), rule.get("exclude"))
        for rule in COLLECTOR["pipeline"]["filters"]
        if rule["name"] == "grep"
    ]
    assert kept == [
        ("$attrs['com.docker.compose.project'] ^${LUNA_PROJECT}$", None),
        (None, "$attrs['com.docker.compose.service'] ^fluent-bit$"),
    ]
    assert "LUNA_PROJECT" in COMPOSE["fluent-bit"]["environment"]


def test_every_container_writes_the_labels_that_the_collector_reads() -> None:
    options = [service["logging"] for service in COMPOSE.values()]
    assert all(logging["driver"] == "json-file" for logging in options)
    assert all(
        logging["options"]["labels"] == "com.docker.compose.project,com.docker.compose.service"
        for logging in options
    )


def test_every_parser_that_is_used_is_there() -> None:
    used = {
        TAIL["parser"],
        *(rule["parser"] for rule in COLLECTOR["pipeline"]["filters"] if rule["name"] == "parser"),
    }
    assert used == {parser["name"] for parser in COLLECTOR["parsers"]}


def test_lines_wait_on_a_volume_until_loki_takes_them() -> None:
    volume = next(
        mount.partition(":")[2]
        for mount in COMPOSE["fluent-bit"]["volumes"]
        if mount.startswith("buffers:")
    )
    assert TAIL["storage.type"] == "filesystem"
    assert COLLECTOR["service"]["storage.path"].startswith(f"{volume}/")
    assert TAIL["db"].startswith(f"{volume}/")
    assert OUTPUT["retry_limit"] == "no_limits"


def test_loki_takes_lines_that_waited_for_half_a_day_and_finds_them() -> None:
    # Accepted are lines up to half of max_chunk_age behind the newest of their stream.
    assert hours(LOKI["ingester"]["max_chunk_age"]) / 2 == 12
    assert LOKI["querier"]["query_ingesters_within"] == "0s"


def test_logs_are_kept_for_fourteen_days() -> None:
    assert hours(LOKI["limits_config"]["retention_period"]) == 14 * 24
    assert hours(LOKI["limits_config"]["reject_old_samples_max_age"]) == 14 * 24
    assert LOKI["compactor"]["retention_enabled"]
    assert (
        LOKI["compactor"]["delete_request_store"]
        == LOKI["schema_config"]["configs"][0]["object_store"]
    )


def test_loki_reports_to_nobody() -> None:
    assert LOKI["analytics"] == {"reporting_enabled": False}
