"""Background runs as rows: Job, JobTask, doorbells and the sweeper. Open models.py first."""
