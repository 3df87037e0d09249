"""Reports: metrics that apps register, questions about them, answers alike as JSON, CSV, XLSX and PDF, saved and mailed.

Imports other parts of the kernel only, never a context; apps bring figures by their `metrics.py`. Open registry.py first.
"""
