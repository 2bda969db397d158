"""The demo: a recorded year is loaded, trained on, planned, replayed and reported; or a simulated home runs live."""
