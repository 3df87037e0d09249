"""Embeddings, matching and scoring. May import every app below it."""
