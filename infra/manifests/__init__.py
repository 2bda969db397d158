"""Manifests for clusters, made from docker-compose.yml: what runs, with which command, secrets,
limits and networks, stands there alone.
"""
