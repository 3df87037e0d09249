"""Facts that contacts announce to the apps above, after the commit."""

from django.dispatch import Signal

# organization_id, contact_ids (a list): these were created, changed, put in the trash, restored or purged.
contacts_changed = Signal()
