"""The gym: a site's recorded days as episodes.

They are stepped by the kernel's physics and priced by its economics. Contract:
docs/model-contracts.md.
"""
