"""Questions about metrics and their answers; the only writers of saved reports and their schedules."""
