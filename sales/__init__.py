"""Sales profiles, pipelines, deals, projects and activities. Imports contacts and the kernel. Open models first."""
