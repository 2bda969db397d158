"""All I/O: database, queue, objects, spool, servers, health, settings, telemetry, and what is read
and done through them.
"""
