"""Beat's schedules, which live in the database so that operators change them here."""

from typing import Any

from django.contrib import admin
from django_celery_beat import admin as beat
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from vocelio.backoffice.tenant import PlatformAdmin

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]
    """Beat's choice among the registered tasks, in unfold's looks."""


class PeriodicTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(PlatformAdmin, beat.PeriodicTaskAdmin):  # type: ignore[misc]
    icon = "schedule"
    menu_title = "Schedules"
    form = PeriodicTaskForm
    date_hierarchy = None
    list_display = ("name", "task", "enabled", "scheduler", "last_run_at", "total_run_count")
    list_filter = ("enabled", "one_off")


class ScheduleAdmin(PlatformAdmin):
    """A rhythm that periodic tasks share; reached from a task's form."""

    section = ""


admin.site.register([IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule], ScheduleAdmin)
