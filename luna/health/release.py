"""Which release of Luna runs, for whoever compares containers."""

from importlib.metadata import version

from prometheus_client import Info

_RELEASE = Info("luna_build", "The release of Luna that this process runs.")


def announce_release() -> None:
    """Say in this process' metrics which release it is."""
    _RELEASE.info({"version": version("luna-energy")})
