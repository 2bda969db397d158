"""Day-ahead prices: one small class for each service, which markets each of them knows, and who is
asked first.
"""
