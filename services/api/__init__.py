"""The gateway: HTTP in, messages and rows out. Holds no domain logic and imports no service."""
