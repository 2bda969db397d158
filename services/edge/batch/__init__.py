"""Many runs: locations × seasons × variations × controllers.

Processes or machines work them off, and continue after a crash.

transport (who simulates a group) → stage (which runs, in which groups; attempts, rows, what
failed). Transport and job_transport alone know where a group is simulated: ``simulate_group`` takes
and gives plain values.
"""
