"""`migrate` as Django has it, in less than half the time for an empty database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db.migrations.state import ModelState, ProjectState


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with _new_models_rendered_alone():
            super().handle(*args, **options)


@contextmanager
def _new_models_rendered_alone() -> Iterator[None]:
    """Render a model that a migration makes, and not every model that is related to it as well.

    Django does the latter because a changed model may be referred to. Nothing can refer to a new one, while by way of
    organizations and users each is related to all others: half of a first start went into it.
    """
    add_model = ProjectState.add_model

    def add_alone(state: ProjectState, model_state: ModelState) -> None:
        apps = state.__dict__.pop("apps", None)
        add_model(state, model_state)
        if apps is not None:
            apps.render_multiple([model_state])
            state.__dict__["apps"] = apps

    ProjectState.add_model = add_alone  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ProjectState.add_model = add_model  # type: ignore[method-assign]
