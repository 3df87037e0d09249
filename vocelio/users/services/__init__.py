"""The only writers of users, sessions, refresh tokens, log-in attempts and password resets."""
