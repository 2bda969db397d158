"""Say what a home is, now and over a period, and what capabilities do with it."""
