"""Facts of the installation that apps may want to act on."""

from django.dispatch import Signal

# Sent in the scope of each organization, with `hold`, before a hold ends: what was due by hold.held_at may have been
# sent by the installation that the backup came from. Receivers make sure that it is not sent again by itself, and
# return {what: how many}.
leaving_in_doubt = Signal()
