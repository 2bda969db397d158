"""Simulate batches: locations × seasons × variations × controllers, resumed after a crash.

transport (sends groups to processes) → stage (runs, their groups, attempts, rows and failures).
Transport and job_transport alone know where a group is simulated: ``simulate_group`` takes and
returns plain values.
"""
