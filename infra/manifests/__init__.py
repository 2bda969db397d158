"""Manifests for clusters, made from docker-compose.yml.

Containers, commands, secrets, limits and networks stand there alone.
"""
