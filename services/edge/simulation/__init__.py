"""Simulate cameras over days: an event-driven engine and the cameras' controllers.

schedule, cameras, grid_period, metrics → protocol → kernels → engine → controllers → group →
single. State is in ``CameraState`` and ``Tally`` alone.
"""
