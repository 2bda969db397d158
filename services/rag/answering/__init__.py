"""Answers from documents and the site's data, with their sources.

A question without an answer there is refused.
"""
