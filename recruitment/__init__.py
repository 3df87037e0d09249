"""Candidates, jobs and applications. Imports contacts and the kernel."""
