"""Secrets at rest: master key, one key per organization, AES-256-GCM. Open envelope.py first."""
