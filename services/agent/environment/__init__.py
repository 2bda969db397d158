"""The gym: a site's recorded days as episodes, under the kernel's physics and economics.

Contract: docs/model-contracts.md.
"""
