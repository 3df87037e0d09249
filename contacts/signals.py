"""Facts that contacts announce to the apps above, after the commit unless said otherwise."""

from django.dispatch import Signal

# organization_id, contact_ids (a list): these were created, changed, put in the trash, restored or purged.
contacts_changed = Signal()

# organization_id, client_ids (a list): these were created, changed, put in the trash, restored or purged.
clients_changed = Signal()

# organization_id, phone_numbers (E.164), emails, channel ("call", "sms", "whatsapp", "email" or "all"), source, reason, user_id:
# these people said no. Sent inside the transaction that learned it, so that the suppression commits with its cause.
opted_out = Signal()

# contact_ids: asked inside the scope before an undo removes contacts; receivers return those they have work on, such as
# deals or messages, which the undo then leaves alone.
contacts_in_use = Signal()

# organization_id, survivor_id, absorbed_id, phone_numbers, emails (of both): two contacts became one. Sent inside the
# transaction of the merge: whoever keeps suppressions by number or address makes those of one hold for all.
contacts_merged = Signal()
