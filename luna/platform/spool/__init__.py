"""A local file in front of the database: what is kept there is safe at once, and reaches the
database when that answers.
"""
