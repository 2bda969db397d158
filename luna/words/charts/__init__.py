"""Charts as SVG or HTML: plans, forecasts, bills, trade-offs, losses of a score, answers of tools,
savings and the camera lab.

Drawings load nothing, follow the reader's light or dark scheme, and show values in titles where
scripts are off.
"""
