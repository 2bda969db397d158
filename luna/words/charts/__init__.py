"""Charts as text: a plan, a forecast, bills, a trade-off, the losses of a score and what an answer shows go in, SVG or HTML comes out.

Drawings ask nobody for anything, follow the reader's light or dark scheme, and speak through titles where a script is missing.
"""

from luna.words.charts.answer import draw_answer_chart, say_start, say_value
from luna.words.charts.bill import draw_bill_chart, draw_bills
from luna.words.charts.edge import EstimateRow, draw_estimate_rows, draw_estimates, draw_interval
from luna.words.charts.edge_pictures import LabChart, LabPicture, MissPoint, MissRow, draw_days, draw_miss_points, draw_misses, draw_places
from luna.words.charts.file_preview import PreviewView, draw_preview
from luna.words.charts.forecast import ForecastView, SeriesView, draw_forecast, draw_forecast_page, draw_forecast_picture
from luna.words.charts.losses import LossStep, draw_losses
from luna.words.charts.plan import GLYPHS, HATCHES, Band, ModeRun, PlanView, RunFlows, draw_plan
from luna.words.charts.savings import DecidedDay, SavedDay, bar_in_text, draw_amount, draw_deciders, draw_saved_days, slot_edges
from luna.words.charts.strip import FixedSpan, StripView, draw_strip
from luna.words.charts.style import style
from luna.words.charts.tradeoff import draw_tradeoff, read_figure

__all__ = [
    "GLYPHS",
    "HATCHES",
    "Band",
    "DecidedDay",
    "EstimateRow",
    "FixedSpan",
    "ForecastView",
    "LabChart",
    "LabPicture",
    "LossStep",
    "MissPoint",
    "MissRow",
    "ModeRun",
    "PlanView",
    "PreviewView",
    "RunFlows",
    "SavedDay",
    "SeriesView",
    "StripView",
    "bar_in_text",
    "draw_amount",
    "draw_answer_chart",
    "draw_bill_chart",
    "draw_bills",
    "draw_days",
    "draw_deciders",
    "draw_estimate_rows",
    "draw_estimates",
    "draw_forecast",
    "draw_forecast_page",
    "draw_forecast_picture",
    "draw_interval",
    "draw_losses",
    "draw_miss_points",
    "draw_misses",
    "draw_places",
    "draw_plan",
    "draw_preview",
    "draw_saved_days",
    "draw_strip",
    "draw_tradeoff",
    "read_figure",
    "say_start",
    "say_value",
    "slot_edges",
    "style",
]
