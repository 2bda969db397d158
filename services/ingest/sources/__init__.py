"""Sources of data: a small class per outside service, behind the protocols of ``source``."""
