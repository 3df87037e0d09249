"""Do-Not-Call lists and scrubbing. Imports contacts and the kernel."""
