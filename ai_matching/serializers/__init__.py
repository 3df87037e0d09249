"""Matching as the API reads and shows it."""
