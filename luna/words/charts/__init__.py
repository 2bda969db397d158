"""Charts as text: a plan, a forecast, bills, a trade-off, the losses of a score and what an answer shows go in, SVG or HTML comes out.

Drawings ask nobody for anything, follow the reader's light or dark scheme, and speak through titles where a script is missing.
"""
