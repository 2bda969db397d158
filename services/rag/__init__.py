"""Documents, questions and answers with sources.

Its domain is still to come; its worker, health and queue are here.
"""
