"""PostgreSQL and Redis on this machine alone: no containers, no installation, loopback only."""

from luna.platform.embedded.supervisor import Addresses, Servers, running, start

__all__ = ["Addresses", "Servers", "running", "start"]
