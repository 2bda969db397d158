"""The pages of the installation: how it is, what it does, how it is set."""
