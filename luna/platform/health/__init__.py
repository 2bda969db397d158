"""Health of a process: liveness and readiness."""
