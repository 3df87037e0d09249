"""Two-way CRM sync. Imports contacts and the kernel. Open providers/provider.py, then services/engine.py."""
