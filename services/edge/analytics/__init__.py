"""Analysis of a batch's runs: read one after the other, summed up with intervals and tests, drawn, and written as CSV, JSON and a report in one file."""

from services.edge.analytics.report import write_report
from services.edge.analytics.runs import RunRow, read_runs
from services.edge.analytics.summary import summarise

__all__ = ["RunRow", "read_runs", "summarise", "write_report"]
