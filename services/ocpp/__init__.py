"""The central system of charge points: they connect to it, it reads and commands them by OCPP.

The process needs no database and no queue. What a charge point is to do comes over a socket.
"""
