"""Facts that sales announces to the apps above, after the commit."""

from django.dispatch import Signal

# organization_id, contact_ids (a list): activities with these contacts were planned, done, changed or deleted.
activities_changed = Signal()
