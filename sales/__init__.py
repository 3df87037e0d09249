"""Pipelines, deals, projects and activities. Imports contacts and the kernel."""
