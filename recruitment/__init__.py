"""Candidate profiles, jobs and applications. Imports contacts and the kernel. Open models first."""
