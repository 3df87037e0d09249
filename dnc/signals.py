"""Facts that Do-Not-Call announces to the apps above."""

from django.dispatch import Signal

# phone_numbers (E.164), emails (lower case), channel: a no of these people was stored, by whatever door. Sent inside the
# transaction that stores it, so that what still waits for them is withdrawn before the no is there.
opt_outs_stored = Signal()
