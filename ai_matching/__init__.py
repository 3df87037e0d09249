"""Embeddings, matching with reasons, lead scores and enrichment. May import every app below it; open models first."""
