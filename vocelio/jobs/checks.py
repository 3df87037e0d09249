"""A system check: every kind of job names a task that exists."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from vocelio.jobs.models import Job


@register
def job_tasks_exist(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Resolve the `task` string of every Job subclass."""
    problems: list[CheckMessage] = []
    for model in apps.get_models():
        if issubclass(model, Job):
            try:
                import_string(model.task)
            except ImportError as error:
                problems.append(
                    Error(f"{model.__name__}.task cannot be imported: {error}", obj=model, id="vocelio.E010")
                )
    return problems
