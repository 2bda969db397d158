"""Which metrics an expression of PromQL reads, and which exist: those that the code declares and a
few of the servers in use.
"""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]

# What others measure, as far as rules and boards read it. Source: the servers' own documentation.
VENDORS = {
    "up",
    "ALERTS",
    "alertmanager_build_info",
    "alertmanager_notifications_failed_total",
    "app_info",  # Qdrant
    "fluentbit_build_info",
    "fluentbit_output_dropped_records_total",
    "fluentbit_output_retries_total",
    "grafana_build_info",
    "loki_build_info",
    "minio_cluster_capacity_usable_free_bytes",
    "minio_cluster_capacity_usable_total_bytes",
    "minio_software_version_info",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemTotal_bytes",
    "node_timex_offset_seconds",
    "node_timex_sync_status",
    "pg_settings_max_connections",
    "pg_stat_activity_count",
    "pg_stat_database_deadlocks",
    "prometheus_build_info",
    "prometheus_rule_evaluation_failures_total",
    "redis_aof_last_write_status",
    "redis_memory_max_bytes",
    "redis_memory_used_bytes",
    "redis_rdb_last_bgsave_status",
}
_SUFFIXES = {
    "Counter": ("",),
    "CounterMetricFamily": ("",),
    "Gauge": ("",),
    "GaugeMetricFamily": ("",),
    "Histogram": ("_bucket", "_count", "_sum"),
    "Info": ("_info",),
    "TaskCounter": ("",),
    "TaskHistogram": ("_bucket", "_count", "_sum"),
    "Summary": ("_count", "_sum"),
}
_DECLARATION = re.compile(rf'\b({"|".join(_SUFFIXES)})\(\s*"(luna_\w+)"')
_NO_METRIC = re.compile(
    r'"(?:[^"\\]|\\.)*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|'
    r"group_right)\s*\([^)]*\)"
)
_NAME = re.compile(r"(?<![\w.$])[a-zA-Z_:][\w:]*(?!\w*\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset", "atan2"}


@cache
def declared() -> frozenset[str]:
    """Return the names under which the metrics of ``luna`` and ``services`` are read."""
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("luna", "services")
        for path in (ROOT / folder).rglob("*.py")
    ]
    found = [match.groups() for source in sources for match in _DECLARATION.finditer(source)]
    return frozenset(name + suffix for kind, name in found for suffix in _SUFFIXES[kind])


def read_by(expression: str) -> set[str]:
    """Return the metrics that ``expression`` reads."""
    # Strings first: a matcher's value may hold a brace.
    bare = _NO_METRIC.sub(" ", re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression))
    return set(_NAME.findall(bare)) - _WORDS
