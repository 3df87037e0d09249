"""What the events announce to the rest of the kernel."""

from django.dispatch import Signal

# organization_id: events of the organization were committed. Sent after the commit; whoever hears it reads the table.
events_committed = Signal()
