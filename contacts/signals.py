"""Facts the contacts announce, after the commit, to the apps above."""

from django.dispatch import Signal

# Contacts were created or changed. Arguments: organization_id, contact_ids.
contacts_changed = Signal()
