"""Have an endpoint's deliveries sent: a doorbell each, which the sweeper rings until nothing waits."""

import uuid

from vocelio.jobs.services import promise_task
from vocelio.organizations.scope import current_organization_id

TASK = "vocelio.webhooks.tasks.send_deliveries"


def promise_deliveries(endpoint_id: uuid.UUID) -> None:
    """Promise to send what the endpoint has waiting."""
    promise_task(TASK, organization_id=current_organization_id(), row_id=endpoint_id)
