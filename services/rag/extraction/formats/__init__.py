"""A module per format with ``read(source) -> Reading``. They run in the child process only."""
