"""Home Assistant: what its recorder kept, what its statistics say of the time before, and what its
sensors say now.
"""
