"""Do all I/O: database, queue, objects, spool, servers, health, settings, telemetry."""
