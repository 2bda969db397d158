"""Charts as SVG or HTML, such as those of plans, forecasts, bills and savings.

Drawings load nothing, follow the reader's light or dark scheme, and show values in titles where
scripts are off.
"""
