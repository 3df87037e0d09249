"""Take in a zip of CVs."""

from recruitment.models import CvBatch


def run_batch(job: CvBatch) -> None:
    raise NotImplementedError
