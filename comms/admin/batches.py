"""Messages to many: how far each is."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display

from comms.admin.accounts import SECTION
from comms.models import Communication, MessageBatch
from comms.services import batches
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError

STATES = {"finished": "success", "sending": "info", "queueing": "info", "paused": "warning", "cancelled": "danger", "failed": "danger"}  # fmt: skip


@admin.register(MessageBatch)
class MessageBatchAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "steer"], "messages:bulk")
    section = SECTION
    icon = "campaign"
    menu_title = "Batches"
    actions = ("pause", "resume", "cancel")

    list_display = ("name", "template", "state_shown", "live", "queued", "skipped", "created_by", "created_at")
    list_select_related = ("template", "created_by")
    fields = (
        ("name", "state_shown"),
        "live",
        "tally",
        ("template", "account"),
        ("version_a", "version_b", "share_a"),
        ("total", "queued", "skipped"),
        ("scheduled_at", "spread_minutes", "in_window"),
        "error_message",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for names in self.fields for name in ((names,) if isinstance(names, str) else names)]

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "steer")

    @display(description="State", label=STATES)  # type: ignore[untyped-decorator]
    def state_shown(self, batch: MessageBatch) -> str:
        return batch.state

    @admin.display(description="Queueing")
    def live(self, batch: MessageBatch) -> SafeString:
        return progress_bar(batch)

    @admin.display(description="Messages")
    def tally(self, batch: MessageBatch) -> str:
        counts = Communication.objects.tally(batch)
        return ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items())) or "none yet"

    @admin.action(description="Pause", permissions=["steer"])
    def pause(self, request: HttpRequest, queryset: Any) -> None:
        self._steer(request, queryset, batches.pause_batch)

    @admin.action(description="Go on", permissions=["steer"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        self._steer(request, queryset, batches.resume_batch)

    @admin.action(description="Call off what is not sent", permissions=["steer"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        self._steer(request, queryset, batches.stop_batch)

    def _steer(self, request: HttpRequest, queryset: Any, act: Any) -> None:
        for batch in queryset:
            try:
                self.message_user(request, f"{batch}: {act(batch).state}", messages.SUCCESS)
            except VocelioError as error:
                self.message_user(request, f"{batch}: {error.message}", messages.WARNING)
