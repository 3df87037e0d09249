import django_filters
from django.db.models import QuerySet

from vocelio.notifications.models import FeedEntry, Notification


class NotificationFilter(django_filters.FilterSet):
    """What GET /notifications can be narrowed by."""

    status = django_filters.ChoiceFilter(choices=[("read", "Read"), ("unread", "Unread")], method="with_status")
    kind = django_filters.CharFilter(max_length=60, label="For example activity.reminder.")

    def with_status(self, queryset: QuerySet[Notification], name: str, value: str) -> QuerySet[Notification]:
        return queryset.filter(read_at__isnull=value == "unread")


class FeedFilter(django_filters.FilterSet):
    """What GET /feed can be narrowed by."""

    kind = django_filters.CharFilter(max_length=60, label="For example deal.won.")
    resource = django_filters.CharFilter(max_length=60, label="For example deal.")
    resourceId = django_filters.UUIDFilter(field_name="resource_id", label="What happened to one record.")
    userId = django_filters.UUIDFilter(field_name="user_id", label="What one member did.")
    createdFrom = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="Not before.")
    createdTo = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lte", label="Not after.")

    class Meta:
        model = FeedEntry
        fields: list[str] = []
