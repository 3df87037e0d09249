"""Figures against stated limits, each script on its own: `python -m benchmarks.imports`. README.md keeps the results."""
