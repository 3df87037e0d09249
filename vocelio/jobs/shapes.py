"""What the progress events of jobs hold."""

from vocelio.jobs.models import JobStatus
from vocelio.realtime.shapes import ID, NUMBER, Shape, shape

PERCENT: Shape = {"type": "integer", "minimum": 0, "maximum": 100}


def progress(**properties: Shape) -> Shape:
    """Return the shape of a kind's `progress_event`, with what it tells beside the rest."""
    status = {"type": "string", "enum": list(JobStatus.values)}
    return shape(jobId=ID, status=status, progress=PERCENT, processed=NUMBER, total=NUMBER, **properties)
