from sales.models.activities import Activity, ActivityKind, CalendarFeed, Disposition, Priority
from sales.models.assignment import AssignmentRule
from sales.models.deals import (
    BulkMove,
    Deal,
    DealContact,
    DealLine,
    DealTally,
    LostReason,
    PipelineSnapshot,
    StageMove,
)
from sales.models.history import DealChange
from sales.models.money import DEFAULT_CURRENCY, ExchangeRate, SalesSettings
from sales.models.pipelines import GateField, Pipeline, Stage, StageKind
from sales.models.profiles import BuyingRole, LeadStatus, SalesProfile
from sales.models.projects import Milestone, Project, ProjectMember, ProjectStatus, ProjectTimelineEntry

__all__ = [
    "DEFAULT_CURRENCY",
    "Activity",
    "ActivityKind",
    "AssignmentRule",
    "BulkMove",
    "BuyingRole",
    "CalendarFeed",
    "Deal",
    "DealChange",
    "DealContact",
    "DealLine",
    "DealTally",
    "Disposition",
    "ExchangeRate",
    "GateField",
    "LeadStatus",
    "LostReason",
    "Milestone",
    "Pipeline",
    "PipelineSnapshot",
    "Priority",
    "Project",
    "ProjectMember",
    "ProjectStatus",
    "ProjectTimelineEntry",
    "SalesProfile",
    "SalesSettings",
    "Stage",
    "StageKind",
    "StageMove",
]
