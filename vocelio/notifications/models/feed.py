"""The feed: what people did, in the words of those who work with it."""

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from vocelio.access.principal import Principal
from vocelio.organizations.models import TenantManager, TenantQuerySet, TenantRow, team_of


class FeedQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Apply the ownership rule to the records an entry tells of; nobody's records are everybody's."""
        if not principal.sees_own_team_only:
            return self
        return self.filter(models.Q(owners=[]) | models.Q(owners__overlap=list(team_of(principal))))


FeedManager = TenantManager.from_queryset(FeedQuerySet)


class FeedEntry(TenantRow):
    """One thing that happened to one record; `owners` were responsible for it then."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    user = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    resource = models.CharField(max_length=60)
    resource_id = models.UUIDField()
    title = models.CharField(max_length=300)
    data = models.JSONField(default=dict)
    owners = ArrayField(models.UUIDField(), default=list)

    objects: ClassVar[Any] = FeedManager()

    class Meta:
        db_table = "feed_entries"
        verbose_name_plural = "feed entries"
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="feed_newest"),
            models.Index(fields=["organization", "resource_id", "-created_at"], name="feed_of_resource"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.title}"
