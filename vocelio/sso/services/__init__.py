"""protocol.py speaks OpenID Connect, log_in.py decides whom it lets in, providers.py keeps the settings."""
