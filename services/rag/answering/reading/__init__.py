"""Reads the answer to a question in passages by rules, without a language model."""
