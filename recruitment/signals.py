"""Facts that recruitment announces to the apps above, after the commit."""

from django.dispatch import Signal

# organization_id, job_ids (a list): these jobs were created, changed or deleted.
jobs_changed = Signal()
