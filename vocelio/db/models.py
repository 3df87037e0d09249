"""No models: Django sends post_migrate, which grants the role, only to apps that have this module."""
