"""Whether a process lives, and whether all it needs is there."""

from luna.platform.health.probes import Probe, probes_for
from luna.platform.health.readiness import ALIVE, TAKES, Liveness, Readiness, check_all, not_ready
from luna.platform.health.server import HealthServer, announce_release, serve_health

__all__ = ["ALIVE", "TAKES", "HealthServer", "Liveness", "Probe", "Readiness", "announce_release", "check_all", "not_ready", "probes_for", "serve_health"]
