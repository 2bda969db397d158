"""A forecast to look at: the fan of its quantiles beside what is usual and what happened."""

from services.cli.forecast_chart.chart import render_html, render_svg
from services.cli.forecast_chart.view import ForecastView, SeriesView

__all__ = ["ForecastView", "SeriesView", "render_html", "render_svg"]
