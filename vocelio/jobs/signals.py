"""What jobs announce."""

from django.dispatch import Signal

# A run came to its end, whatever it was; sent in the transaction that stores it. `job` is the finished row.
job_finished = Signal()
