"""Log-in by an organization's own identity provider (OpenID Connect). Open services/log_in.py first.

Who may be linked to which account, and why: docs/security.md.
"""
