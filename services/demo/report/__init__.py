"""The self-contained report: one HTML file that opens from disk and asks nobody for anything."""

from services.demo.report.report import Origin, ReportInput, SiteResult, render

__all__ = ["Origin", "ReportInput", "SiteResult", "render"]
