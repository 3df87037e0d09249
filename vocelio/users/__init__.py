"""People who sign in, their sessions and tokens. Open models.py first, then services/sessions.py."""
