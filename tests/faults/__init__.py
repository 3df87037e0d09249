"""Faults on an installation as bin/up starts it: `python -m tests.faults [name ...]`, each prints its figures.

Not part of bin/test: they take minutes, and some need root (a file system of limited size) or Debian's `faketime`.
"""
