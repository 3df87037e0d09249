"""PostgreSQL and Valkey started for you when no URL is set, and the process supervisor of bin/up.

Imports nothing of Vocelio and nothing of Django: it runs before there are settings, which read its state.py.
Open supervisor.py first; provision.py is what a server of your own needs.
"""
