"""Dashboards: tiles of figures, one's own, shared and usual ones, told of what makes them out of date.

Imports other parts of the kernel, reports above all, and no context. Open models.py first.
"""
