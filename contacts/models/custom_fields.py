"""What an organization keeps of its contacts beside the fields everybody has, and the views people save."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from vocelio.access.principal import Principal
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet


class CustomFieldQuerySet(TenantQuerySet):
    def active(self) -> Self:
        """Keep fields that are not archived, in the order in which forms show them."""
        return self.filter(is_archived=False).order_by("position", "label")


CustomFieldManager = TenantManager.from_queryset(CustomFieldQuerySet)


class CustomField(TenantModel):
    """The definition of one key of `customFields`: what its values may be.

    Keys without a definition stay free. An archived field keeps its values, which are no longer checked. Values of a
    sensitive field rest encrypted with the organization's key, apart from the others, and show by role.
    """

    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        BOOLEAN = "boolean", "Yes or no"
        CHOICE = "choice", "Choice"
        MULTI_CHOICE = "multi-choice", "Several choices"
        URL = "url", "Link"

    key = models.CharField(max_length=60, help_text="Its name in customFields; letters, digits, _ and -.")
    label = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True, default="")
    kind = models.CharField(max_length=20, choices=Kind)
    options = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    is_required = models.BooleanField(default=False)
    default = models.JSONField(null=True, blank=True, help_text="What new contacts get when nothing is given.")
    is_sensitive = models.BooleanField(default=False, help_text="Encrypted; only for those who may read private notes.")
    is_archived = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)

    objects: ClassVar[Any] = CustomFieldManager()

    class Meta:
        db_table = "custom_fields"
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="one_custom_field_per_key"),
            models.CheckConstraint(
                condition=models.Q(key__regex=r"^[A-Za-z0-9_-]+$"), name="custom_field_key_is_plain"
            ),
        ]

    def __str__(self) -> str:
        return self.label


class SavedViewQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Keep the caller's own views and those that are shared."""
        return self.filter(models.Q(user_id=principal.user_id) | models.Q(is_shared=True))


SavedViewManager = TenantManager.from_queryset(SavedViewQuerySet)


class SavedView(TenantModel):
    """A list of contacts as somebody likes to see it: filter, order and columns."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, editable=False, related_name="+", db_index=False
    )
    name = models.CharField(max_length=100)
    filter = models.JSONField(default=dict, blank=True, help_text="Parameters of GET /contacts.")
    sort = models.CharField(max_length=100, blank=True, default="")
    columns = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    is_shared = models.BooleanField(default=False, help_text="Everybody in the organization sees it.")

    objects: ClassVar[Any] = SavedViewManager()

    class Meta:
        db_table = "saved_views"
        constraints = [models.UniqueConstraint(fields=["organization", "user", "name"], name="one_view_per_name")]

    def __str__(self) -> str:
        return self.name
