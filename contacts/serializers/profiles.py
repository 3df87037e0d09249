"""What the API shows of all kinds of profiles together."""

from datetime import datetime
from typing import Any

from django.utils.module_loading import import_string
from rest_framework import serializers

from contacts.models import InsightCode, ProfileChange, ProfileSummary
from contacts.models.profiles import EFFECTS
from contacts.profile_kinds import profile_kinds
from vocelio.api.serializers import NamedSerializer, Serializer


class ContactProfilesSerializer(Serializer):
    """All profiles of a contact by kind, the primary one of each kind first."""

    contact_id = serializers.UUIDField()
    is_dual = serializers.BooleanField(help_text="Whether there are profiles of more than one kind.")

    def get_fields(self) -> Any:
        fields = super().get_fields()
        for kind in profile_kinds():
            fields[kind.slug] = import_string(kind.serializer)(many=True, read_only=True)
        return fields


class PrimaryProfileSerializer(Serializer):
    """The primary profile of one kind."""

    id = serializers.UUIDField()
    headline = serializers.CharField()
    state = serializers.CharField(help_text="Where it stands: a lead's status, how somebody looks for work.")
    is_open = serializers.BooleanField(help_text="Whether the person is to be worked now.")


class ProfileSummarySerializer(Serializer):
    """One contact's profiles at a glance."""

    contact_id = serializers.UUIDField()
    name = serializers.CharField(source="contact.__str__")
    kinds = serializers.ListField(child=serializers.CharField())
    profiles = serializers.IntegerField()
    is_dual = serializers.BooleanField()
    dual_since = serializers.DateTimeField(allow_null=True, help_text="When the second kind came.")
    primaries = serializers.DictField(child=PrimaryProfileSerializer(), help_text="The primary profile of each kind.")
    updated_at = serializers.SerializerMethodField(help_text="When a profile last changed.")

    def get_updated_at(self, summary: ProfileSummary) -> datetime | None:
        return summary.updated_at if summary.profiles else None


class ProfileChangeSerializer(Serializer):
    """One change of one profile, without values."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    profile_id = serializers.UUIDField()
    action = serializers.ChoiceField(choices=ProfileChange.Action.choices)
    changed = serializers.ListField(child=serializers.CharField(), help_text="Names of columns.")
    user_id = serializers.UUIDField(allow_null=True)
    user = serializers.CharField(allow_null=True, help_text="Name of who did it.")
    timestamp = serializers.DateTimeField(source="created_at")


class PersonSerializer(Serializer):
    """A contact, as {id, name}."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="__str__")


class InsightSerializer(Serializer):
    """What one kind of profile tells those who work with the other, and why."""

    id = serializers.UUIDField()
    code = serializers.ChoiceField(choices=InsightCode.choices)
    effect = serializers.ChoiceField(choices=EFFECTS)
    reason = serializers.CharField()
    advice = serializers.CharField()
    contact = PersonSerializer()
    client = NamedSerializer()
    basis = serializers.ChoiceField(
        choices=[("relation", "relation"), ("company", "company"), ("profiles", "profiles")],
        help_text="What it rests on: a relation to a client, the contact's company name, both profiles.",
    )
    noticed_at = serializers.DateTimeField()


class CountSerializer(Serializer):
    """How many there are of one value."""

    value = serializers.CharField()
    count = serializers.IntegerField()


class PairSerializer(Serializer):
    """How many contacts stand here as buyers and there as candidates."""

    sales = serializers.CharField(help_text="Where the primary sales profile stands.")
    candidate = serializers.CharField(help_text="Where the primary candidate profile stands.")
    count = serializers.IntegerField()


class MonthSerializer(Serializer):
    """How many contacts got their second kind of profile in a month."""

    month = serializers.CharField(help_text="YYYY-MM.")
    count = serializers.IntegerField()


class DualAnalyticsSerializer(Serializer):
    """How the kinds of profiles overlap, and what that is worth looking at."""

    contacts = serializers.IntegerField(help_text="With any profile.")
    dual = serializers.IntegerField(help_text="With profiles of more than one kind.")
    dual_share = serializers.FloatField(help_text="0 to 1.")
    kinds = CountSerializer(many=True)
    states = PairSerializer(many=True)
    became_dual = MonthSerializer(many=True)
    insights = CountSerializer(many=True)


def summary_of_nobody(contact: Any) -> ProfileSummary:
    """Return the summary of a contact without profiles."""
    return ProfileSummary(id=contact.pk, contact=contact, kinds=[], profiles=0, is_dual=False, primaries={})
