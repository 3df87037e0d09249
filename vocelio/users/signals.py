"""Facts about sign-ins, sent on commit. vocelio.realtime passes them on to the sockets of every process."""

from django.dispatch import Signal

# Sessions that let nobody in any more. Arguments: session_ids (list of UUIDs), user_id.
session_ended = Signal()
# A person's role in an organization changed, or the membership ended. Arguments: user_id, organization_id.
access_changed = Signal()
