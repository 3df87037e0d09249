"""Two-way CRM sync. Imports contacts and the kernel."""
