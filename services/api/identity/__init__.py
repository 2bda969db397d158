"""Who asks, and what they may: signing in, keys, guards, budgets, the audit log."""
