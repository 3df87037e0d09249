"""What the events announce to the rest of the kernel."""

from django.dispatch import Signal

# organization_id: events of the organization were committed. A hint, sent after the commit while Redis is there: whoever
# hears it reads the table, and looks by itself now and then.
events_committed = Signal()
