"""Where a list's files come from by themselves, and what was fetched."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from dnc.models.lists import DncList
from dnc.models.registry import Registry
from vocelio.crypto.fields import EncryptedTextField
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantModel, TenantRow


class Source(TenantModel):
    """A place that is looked into on a schedule: for one of the organization's lists, or for a registry.

    Sources of registries belong to the platform's own organization.
    """

    kind = models.CharField(max_length=40, help_text="A plug-in of dnc/sources.")
    list = TenantForeignKey(DncList, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    registry = models.ForeignKey(
        Registry, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    settings: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    state: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, editable=False, help_text="What the place remembers between two runs."
    )
    secret = EncryptedTextField(blank=True, default="")
    auto_update = models.BooleanField(default=True)
    update_frequency = models.PositiveIntegerField(default=24, help_text="Hours.")
    next_run_at = models.DateTimeField(db_default=Now())
    last_run_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, default="", editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        db_table = "dnc_sources"
        constraints = [
            models.CheckConstraint(
                condition=Q(list__isnull=True, registry__isnull=False) | Q(list__isnull=False, registry__isnull=True),
                name="dnc_source_of_one_list",
            ),
            models.CheckConstraint(condition=Q(update_frequency__gte=1), name="dnc_source_frequency"),
        ]

    def __str__(self) -> str:
        return f"{self.registry or self.list}, {self.kind}"


class SourceDownload(TenantRow):
    """A file that was fetched, kept as it came before anything was made of it.

    The FTC gives each file once a day: what is here is never asked for again.
    """

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    source = TenantForeignKey(Source, on_delete=models.CASCADE, related_name="downloads", db_index=False)
    name = models.CharField(max_length=500, help_text="What the place calls it, with its version.")
    filename = models.CharField(max_length=255)
    file = models.CharField(max_length=1000)
    sha256 = models.CharField(max_length=64)
    is_raw = models.BooleanField(default=False, help_text="Whether it is an answer still to be decoded.")
    job_id = models.UUIDField(null=True)

    class Meta:
        db_table = "dnc_source_downloads"
        constraints = [models.UniqueConstraint(fields=["organization", "source", "name"], name="one_download_per_name")]

    def __str__(self) -> str:
        return self.filename
