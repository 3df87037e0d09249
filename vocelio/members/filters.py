import django_filters
from django.db.models import Q, QuerySet

from vocelio.members.models import Invitation
from vocelio.organizations.models import Membership, Role

MEMBER_STATUS = [("active", "Active"), ("inactive", "Inactive")]


class MemberFilter(django_filters.FilterSet):
    """What GET /members can be narrowed by."""

    role = django_filters.ChoiceFilter(choices=Role.choices)
    status = django_filters.ChoiceFilter(choices=MEMBER_STATUS, method="with_status")
    team = django_filters.CharFilter(field_name="team")
    search = django_filters.CharFilter(method="with_text", label="Part of the name or e-mail address.")

    def with_status(self, queryset: QuerySet[Membership], name: str, value: str) -> QuerySet[Membership]:
        lets_in = Q(is_active=True, user__is_active=True)
        return queryset.filter(lets_in if value == "active" else ~lets_in)

    def with_text(self, queryset: QuerySet[Membership], name: str, value: str) -> QuerySet[Membership]:
        return queryset.filter(Q(user__name__icontains=value) | Q(user__email__icontains=value))


class InvitationFilter(django_filters.FilterSet):
    """What GET /members/invitations can be narrowed by."""

    role = django_filters.ChoiceFilter(choices=Role.choices)
    search = django_filters.CharFilter(method="with_text", label="Part of the name or e-mail address.")

    def with_text(self, queryset: QuerySet[Invitation], name: str, value: str) -> QuerySet[Invitation]:
        return queryset.filter(Q(name__icontains=value) | Q(email__icontains=value))
