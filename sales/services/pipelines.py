"""Make, change, order and remove pipelines and stages."""

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from sales.models import Deal, Pipeline, Stage, StageKind
from sales.services.announcements import announce_deals, announce_pipeline
from sales.services.gates import check_gates
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.versions import lock

MAX_STAGES = 30
# What a new organization begins with: name, kind, percent, rotting days, required fields.
USUAL_STAGES: list[dict[str, Any]] = [
    {"name": "New", "probability": 10, "rotting_days": 14},
    {"name": "Qualified", "probability": 25, "rotting_days": 21, "required_fields": ["contacts"]},
    {"name": "Proposal", "probability": 50, "rotting_days": 21, "required_fields": ["amount", "expectedCloseOn"]},
    {"name": "Negotiation", "probability": 75, "rotting_days": 30, "required_fields": ["amount", "expectedCloseOn"]},
    {"name": "Won", "kind": StageKind.WON, "required_fields": ["amount"]},
    {"name": "Lost", "kind": StageKind.LOST, "required_fields": ["lostReason"]},
]


class PipelineExists(Conflict):
    code = "PIPELINE_EXISTS"
    message = "There is already a pipeline of this name."


class StageExists(Conflict):
    code = "STAGE_EXISTS"
    message = "The pipeline already has a stage of this name."


class StageInUse(Conflict):
    """Deals are in the stage; `deals` says how many. Name the stage to move them to."""

    code = "STAGE_IN_USE"
    message = "Deals are in this stage. Say with moveTo where they go."


class PipelineInUse(Conflict):
    code = "PIPELINE_IN_USE"
    message = "Deals are in this pipeline. Move them or put them in the trash first."


class LastPipeline(Conflict):
    code = "DEFAULT_PIPELINE"
    message = "This is the default pipeline; make another one the default first."


def create_pipeline(*, name: str, stages: list[dict[str, Any]] | None = None, **fields: Any) -> Pipeline:
    """Create a pipeline with these stages in their order, the usual ones when none are given."""
    is_default = fields.pop("is_default", False) or not Pipeline.objects.filter(is_default=True).exists()
    pipeline = Pipeline(name=name, **fields)
    _save(pipeline)
    stages = USUAL_STAGES if stages is None else stages
    for position, stage in enumerate(stages):
        _save(_fitting(Stage(pipeline=pipeline, position=position, **stage)))
    if not any(stage.get("kind", StageKind.OPEN) == StageKind.OPEN for stage in stages):
        raise Invalid.field("stages", "A pipeline needs a stage for open deals.", constraint="open_stage")
    if is_default:
        _make_default(pipeline)
    record("pipeline.created", "pipeline", pipeline.pk, stages=len(stages))
    announce_pipeline(pipeline)
    return pipeline


def usual_pipeline() -> Pipeline:
    """Return the default pipeline, made the first time it is needed."""
    pipeline: Pipeline | None = Pipeline.objects.filter(is_default=True).first()
    if pipeline is not None:
        return pipeline
    try:
        with transaction.atomic():
            return create_pipeline(name="Sales")
    except (IntegrityError, PipelineExists):
        # Somebody else made it at the same moment, or left one of this name without a default.
        made: Pipeline | None = Pipeline.objects.alive().order_by("-is_default", "created_at").first()
        if made is None:
            raise
        return made


def update_pipeline(pipeline: Pipeline, *, version: int | None = None, **fields: Any) -> Pipeline:
    """Change name or description, or make it the default."""
    pipeline = lock(Pipeline.objects, pipeline.pk, version, pipeline_state)
    is_default = fields.pop("is_default", None)
    if is_default is False and pipeline.is_default:
        raise LastPipeline
    for name, value in fields.items():
        setattr(pipeline, name, value)
    pipeline.version += 1
    _save(pipeline)
    if is_default:
        _make_default(pipeline)
    changed = [*fields, *(["is_default"] if is_default is not None else [])]
    record("pipeline.updated", "pipeline", pipeline.pk, fields=sorted(changed))
    announce_pipeline(pipeline)
    return pipeline


def delete_pipeline(pipeline: Pipeline) -> None:
    """Remove a pipeline without deals; its history stays. Raise PipelineInUse or LastPipeline."""
    pipeline = lock(Pipeline.objects, pipeline.pk, None, pipeline_state)
    if pipeline.is_default:
        raise LastPipeline
    deals = Deal.objects.filter(pipeline=pipeline)
    if in_use := deals.alive().count():
        raise PipelineInUse(deals=in_use)
    Pipeline.objects.filter(pk=pipeline.pk).update(deleted_at=Now(), version=F("version") + 1)
    Stage.objects.alive().filter(pipeline=pipeline).update(deleted_at=Now())
    record("pipeline.deleted", "pipeline", pipeline.pk)
    announce_pipeline(pipeline)


def create_stage(
    pipeline: Pipeline, *, version: int | None = None, position: int | None = None, **fields: Any
) -> Stage:
    """Add a stage at a place of the row, else before the first won or lost one."""
    pipeline = lock(Pipeline.objects, pipeline.pk, version, pipeline_state)
    stages = list(Stage.objects.alive().filter(pipeline=pipeline).order_by("position", "id"))
    if len(stages) >= MAX_STAGES:
        raise Invalid.field("stages", f"A pipeline has at most {MAX_STAGES} stages.", constraint="max_length")
    if position is None:
        is_open = fields.get("kind", StageKind.OPEN) == StageKind.OPEN
        closed = [index for index, stage in enumerate(stages) if stage.kind != StageKind.OPEN]
        position = closed[0] if is_open and closed else len(stages)
    stage = _fitting(Stage(pipeline=pipeline, position=position, **fields))
    _save(stage)
    stages.insert(min(position, len(stages)), stage)
    _number(pipeline, stages)
    record("stage.created", "stage", stage.pk, pipeline=str(pipeline.pk))
    return stage


def update_stage(stage: Stage, *, version: int | None = None, **fields: Any) -> Stage:
    """Change a stage; its kind only while no deal is in it. `version` is its pipeline's."""
    pipeline = lock(Pipeline.objects, stage.pipeline_id, version, pipeline_state)
    kind = fields.get("kind", stage.kind)
    if kind != stage.kind:
        # Waits for deals on their way in; the database refuses what comes after.
        in_use = Deal.objects.filter(stage=stage).count()
        if in_use:
            raise StageInUse("Deals are in this stage; its kind cannot change under them.", deals=in_use)
        if kind != StageKind.OPEN:
            _keep_an_open_stage(pipeline, stage)
    for name, value in fields.items():
        setattr(stage, name, value)
    if kind == StageKind.OPEN and "kind" in fields and stage.probability == 100 and "probability" not in fields:
        stage.probability = 90
    _save(_fitting(stage))
    _touch(pipeline)
    record("stage.updated", "stage", stage.pk, fields=sorted(fields))
    return stage


def delete_stage(stage: Stage, *, move_to: uuid.UUID | None = None, version: int | None = None) -> int:
    """Remove a stage; its deals move to another stage of the pipeline, whose gates hold, or it is refused.

    Return how many moved. The removed stage stays in the history of the deals that were there.
    """
    pipeline = lock(Pipeline.objects, stage.pipeline_id, version, pipeline_state)
    if stage.kind == StageKind.OPEN:
        _keep_an_open_stage(pipeline, stage)
    deals = list(Deal.objects.select_for_update(of=("self",), no_key=True).filter(stage=stage).order_by("pk"))
    alive = [deal for deal in deals if deal.deleted_at is None]
    if deals:
        if move_to is None:
            if alive:
                raise StageInUse(deals=len(alive))
            target = Stage.objects.alive().filter(pipeline=pipeline).exclude(pk=stage.pk).order_by("position").first()
        else:
            target = Stage.objects.alive().filter(pk=move_to, pipeline=pipeline).exclude(pk=stage.pk).first()
        if target is None:
            raise Invalid.field(
                "moveTo",
                "There is no such other stage in the pipeline.",
                value=str(move_to),
                constraint="does_not_exist",
            )
        check_gates(alive, target)
        Deal.objects.filter(pk__in=[deal.pk for deal in deals]).update(
            stage=target, moved_by_id=current_actor().user_id, version=F("version") + 1
        )
        announce_deals("move", alive)
    Stage.objects.filter(pk=stage.pk).update(deleted_at=Now())
    _number(pipeline, list(Stage.objects.alive().filter(pipeline=pipeline).order_by("position", "id")))
    record("stage.deleted", "stage", stage.pk, moved=len(alive), moveTo=str(move_to) if move_to else None)
    return len(alive)


def reorder_stages(pipeline: Pipeline, *, stage_ids: list[uuid.UUID], version: int | None = None) -> Pipeline:
    """Put the stages into this order, which names each once. Of two people at once the second is told.

    Raise VersionConflict when somebody changed the pipeline since `version`.
    """
    pipeline = lock(Pipeline.objects, pipeline.pk, version, pipeline_state)
    stages = {stage.pk: stage for stage in Stage.objects.alive().filter(pipeline=pipeline)}
    if len(stage_ids) != len(set(stage_ids)) or set(stage_ids) != set(stages):
        raise Invalid.field("stageIds", "Name every stage of the pipeline once.", constraint="complete")
    _number(pipeline, [stages[stage_id] for stage_id in stage_ids])
    record("pipeline.reordered", "pipeline", pipeline.pk)
    return pipeline


def pipeline_state(pipeline: Pipeline) -> dict[str, Any]:
    """Return what the second of two people needs to see."""
    stages = Stage.objects.alive().filter(pipeline=pipeline).order_by("position", "id")
    return {
        "id": str(pipeline.pk),
        "name": pipeline.name,
        "version": pipeline.version,
        "stages": [{"id": str(pk), "name": name} for pk, name in stages.values_list("pk", "name")],
    }


def _keep_an_open_stage(pipeline: Pipeline, stage: Stage) -> None:
    others = Stage.objects.alive().filter(pipeline=pipeline, kind=StageKind.OPEN).exclude(pk=stage.pk)
    if not others.exists():
        raise Conflict("A pipeline keeps at least one stage for open deals.")


def _make_default(pipeline: Pipeline) -> None:
    Pipeline.objects.filter(is_default=True).exclude(pk=pipeline.pk).update(is_default=False)
    Pipeline.objects.filter(pk=pipeline.pk).update(is_default=True)
    pipeline.is_default = True


def _fitting(stage: Stage) -> Stage:
    """Return the stage with the probability its kind leaves no choice of."""
    if stage.kind != StageKind.OPEN:
        stage.probability = 100 if stage.kind == StageKind.WON else 0
    return stage


def _number(pipeline: Pipeline, stages: list[Stage]) -> None:
    for position, stage in enumerate(stages):
        stage.position = position
    Stage.objects.bulk_update(stages, ["position"])
    _touch(pipeline)


def _touch(pipeline: Pipeline) -> None:
    pipeline.version += 1
    Pipeline.objects.filter(pk=pipeline.pk).update(version=pipeline.version)
    announce_pipeline(pipeline)


def _save(row: Pipeline | Stage) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        refusals = {"one_pipeline_per_name": PipelineExists, "one_stage_per_name": StageExists}
        refusal = next((refusals[name] for name in refusals if name in str(error)), None)
        if refusal is None:
            raise
        raise refusal(field="name", value=row.name, constraint="unique") from None
