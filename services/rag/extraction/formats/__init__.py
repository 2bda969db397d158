"""Readers of formats, a module each; they run in the child process only."""
