"""The demo: a real year loaded, learned, planned and replayed, and the report on it; or a simulated home that lives now."""
