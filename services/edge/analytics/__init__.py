"""Analysis of a batch's runs: read one after the other, summed up with intervals and tests, drawn,
and written as CSV, JSON and a report in one file.
"""
