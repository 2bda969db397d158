"""The processes of ``luna up``: how they start, share memory, are watched and end.

The gateway's process is the supervisor. Before it opens a port or a database, it forks a *fork server* (``fork_server``), which shares what the gateway has
imported; a second one, forked from the first, loads what tasks need. Each *companion* (``companions``) - workers, beat, executor, recorder, the bridge to
Home Assistant, backups, simulated home - is a fork of one of them, so what several of them load is in memory once. Where forks cannot be had, a companion is
executed and loads everything itself.

A companion lives in a session of its own, so Ctrl-C reaches the supervisor alone, which ends the gateway first and the companions after it. It looks at each
once a second: one that died is started again, one that the settings do not ask for is ended. Should the supervisor itself be killed, each companion finds its
standard input closed (``parent_watch``) and ends as if it had been asked to.
"""
