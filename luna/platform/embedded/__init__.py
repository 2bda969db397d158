"""PostgreSQL and Redis on this machine alone: no containers, no installation, loopback only."""
