"""Analysis of a batch's runs.

They are read one after the other, summed up with intervals and tests, drawn, and written as CSV,
JSON and a report in one file.
"""
