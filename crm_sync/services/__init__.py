"""The only writers of the CRM sync. Open engine.py first."""
