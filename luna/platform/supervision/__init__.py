"""The processes of ``luna up``: how they start, share memory, are supervised and end.

The gateway's process is the supervisor. Before it opens a port or a database, it forks a *fork
server* (``fork_server``), which shares what the gateway has imported; a second one, forked from the
first, loads what tasks need. Each *companion* (``companions``) - workers, beat, executor, steering,
ocpp, recorder, the bridge to Home Assistant, backups, simulated home - is a fork of one of them, so
shared libraries are in memory once. Where forking does not work, a companion is executed and loads
everything itself.

Each companion has its own session, so Ctrl-C reaches the supervisor alone, which ends the gateway
first and the companions after it. Once a second it restarts dead companions and ends those that the
settings no longer require. If the supervisor is killed, each companion sees its standard input
close (``parent_watch``) and ends as on SIGTERM.
"""
