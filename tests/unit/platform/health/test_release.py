"""Which release a process runs."""

from importlib.metadata import version

from prometheus_client import REGISTRY

from luna.platform.health.health_server import announce_release


def test_a_process_says_which_release_it_runs() -> None:
    announce_release()
    assert REGISTRY.get_sample_value("luna_build_info", {"version": version("luna-energy")}) == 1
