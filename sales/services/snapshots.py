"""Keep what the pipelines were worth at the end of each day."""

from django.db import connection

from vocelio.organizations.scope import current_organization_id

# A stage without deals leaves no row; one that lost its last deal today must not keep this morning's.
TAKE = """
WITH now_there AS (
    SELECT deal.organization_id, deal.pipeline_id, deal.stage_id, deal.assigned_to_id, count(*) AS number,
           sum(deal.base_amount) AS amount, sum(deal.base_amount * stage.probability / 100) AS weighted
    FROM deals AS deal JOIN pipeline_stages AS stage
        ON stage.organization_id = deal.organization_id AND stage.id = deal.stage_id
    WHERE deal.organization_id = %(organization)s AND deal.deleted_at IS NULL AND deal.status = 'open'
    GROUP BY 1, 2, 3, 4
), gone AS (
    DELETE FROM pipeline_snapshots AS snapshot WHERE organization_id = %(organization)s AND day = current_date
        AND NOT EXISTS (SELECT FROM now_there WHERE now_there.stage_id = snapshot.stage_id
                        AND now_there.assigned_to_id IS NOT DISTINCT FROM snapshot.assigned_to_id)
)
INSERT INTO pipeline_snapshots (id, organization_id, day, pipeline_id, stage_id, assigned_to_id, number, amount, weighted)
SELECT uuid7(), organization_id, current_date, pipeline_id, stage_id, assigned_to_id, number, amount, weighted
FROM now_there
ON CONFLICT (organization_id, day, stage_id, assigned_to_id) DO UPDATE
    SET number = excluded.number, amount = excluded.amount, weighted = excluded.weighted
"""


def take_snapshot() -> int:
    """Note what the open organization's pipelines are worth today, in place of what was noted earlier today."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"organization": current_organization_id()})
        return int(cursor.rowcount)
