"""Analyse a batch's runs: statistics, pictures, and results as CSV, JSON and a report."""
