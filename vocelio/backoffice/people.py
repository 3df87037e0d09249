"""Names of people in tables that keep their id only."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from vocelio.users.models import User


def with_email(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Add `email`, the address of the person in `user_id`."""
    people = User.objects.filter(pk=OuterRef("user_id"))
    annotated: QuerySet[Any] = queryset.annotate(email=Subquery(people.values("email")))
    return annotated
