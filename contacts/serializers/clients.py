"""Clients as the API reads and shows them."""

import uuid
from typing import Any

import orjson
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import URLValidator, validate_email
from django.db import connection
from rest_framework import serializers

from contacts.incoming.domains import domain_of
from contacts.models import Client, ClientContact, ClientSize, ClientStatus, RelationRole, Verification
from contacts.phones import PhoneProblem, format_for_people, normalize
from contacts.serializers.contacts import MAX_CUSTOM_FIELDS_BYTES, AssigneeField, TagsField, iso_time
from contacts.services.bulk import MAX_CONTACTS
from contacts.services.client_bulk import ACTIONS
from vocelio.api.bulk import BulkActionSerializer, BulkErrorSerializer, BulkOutcomeSerializer, IdsField
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, PlainJSONField, Serializer, blank_or
from vocelio.organizations.scope import current_organization_id

is_url = URLValidator(schemes=["http", "https"])


def clean_url(value: str) -> str:
    """Return a web address with its scheme; raise ValidationError when it is none."""
    value = value.strip()
    if value:
        value = value if "://" in value else f"https://{value}"
        try:
            is_url(value)
        except DjangoValidationError:
            raise serializers.ValidationError("This is not a web address.", code="url") from None
    return value


class ClientSerializer(ModelSerializer):
    """What a client's body may hold, and the description of what is answered; `client_rows` makes the answers."""

    name = serializers.CharField(max_length=255)
    domain = serializers.CharField(
        required=False, allow_blank=True, max_length=253, help_text="Bare host; that of the website unless given."
    )
    size = blank_or(ClientSize.choices)(required=False, help_text="Employees, in bands.")
    annual_revenue = serializers.DecimalField(
        max_digits=18, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    currency = serializers.RegexField(
        r"^[A-Za-z]{3}$", required=False, allow_blank=True, help_text="Of the revenue; ISO 4217."
    )
    phone = serializers.CharField(required=False, allow_blank=True, max_length=50)
    phone_formatted = serializers.CharField(read_only=True)
    country = serializers.RegexField(r"^[A-Za-z]{2}$", required=False, allow_blank=True, help_text="ISO 3166 alpha-2.")
    tags = TagsField(required=False)
    custom_fields = PlainJSONField(required=False)
    parent = NamedSerializer()
    parent_id = serializers.UUIDField(required=False, allow_null=True, write_only=True, help_text="Parent company.")
    assigned_to = AssigneeField(source="assigned_to_id", required=False, allow_null=True)
    created_by = PersonField()
    verified_by = PersonField()
    primary_contact = NamedSerializer()

    class Meta:
        model = Client
        fields = [
            "id",
            "name",
            "legal_name",
            "domain",
            "website",
            "linkedin_url",
            "industry",
            "size",
            "annual_revenue",
            "currency",
            "tax_id",
            "email",
            "phone",
            "phone_formatted",
            "address",
            "city",
            "state",
            "zip",
            "country",
            "tags",
            "custom_fields",
            "status",
            "source",
            "notes",
            "parent",
            "parent_id",
            "assigned_to",
            "primary_contact",
            "verification",
            "verification_note",
            "verified_at",
            "verified_by",
            "created_at",
            "updated_at",
            "created_by",
        ]
        read_only_fields = ["verification", "verification_note", "verified_at", "created_at", "updated_at"]
        extra_kwargs = {"address": {"max_length": 1_000}, "notes": {"max_length": 20_000}}

    def validate_domain(self, value: str) -> str:
        domain = domain_of(value)
        if value.strip() and not domain:
            raise serializers.ValidationError("This is not a domain.", code="domain")
        return domain

    def validate_website(self, value: str) -> str:
        return clean_url(value)

    def validate_linkedinUrl(self, value: str) -> str:
        return clean_url(value)

    def validate_email(self, value: str) -> str:
        value = value.strip().lower()
        if value:
            try:
                validate_email(value)
            except DjangoValidationError:
                raise serializers.ValidationError("This is not an e-mail address.", code="email") from None
        return value

    def validate_phone(self, value: str) -> str:
        if not value.strip():
            return ""
        phone = normalize(value, self.context["view"].principal.default_region)
        if isinstance(phone, PhoneProblem):
            raise serializers.ValidationError(f"Not a phone number: {phone.reason}.", code="phone")
        return phone.e164

    def validate_currency(self, value: str) -> str:
        return value.upper()

    def validate_country(self, value: str) -> str:
        return value.upper()

    def validate_customFields(self, value: dict[str, Any]) -> dict[str, Any]:
        if len(orjson.dumps(value)) > MAX_CUSTOM_FIELDS_BYTES:
            raise serializers.ValidationError("Custom fields hold at most 64 KB.", code="max_length")
        return value


class TrashedClientSerializer(ClientSerializer):
    """A client in the trash."""

    deleted_at = serializers.DateTimeField(read_only=True)

    class Meta(ClientSerializer.Meta):
        fields = [*ClientSerializer.Meta.fields, "deleted_at"]


class VerificationSerializer(Serializer):
    """Whether the company was checked, and what was found."""

    verification = serializers.ChoiceField(choices=Verification.choices)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class RelationSerializer(ModelSerializer):
    """What a person is to a company; without an end it holds now."""

    id = serializers.UUIDField(required=False, help_text="Of a relation that is there already.")
    client_id = serializers.UUIDField()
    client = NamedSerializer(allow_null=False)
    role = serializers.ChoiceField(choices=RelationRole.choices, required=False)
    title = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_primary = serializers.BooleanField(required=False)

    class Meta:
        model = ClientContact
        fields = [
            "id",
            "client_id",
            "client",
            "role",
            "title",
            "is_primary",
            "started_on",
            "ended_on",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]


class RelationsSerializer(Serializer):
    """All relations of a contact to clients."""

    relationships = RelationSerializer(many=True, max_length=200)  # type: ignore[call-arg]

    def validate_relationships(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ids = [relation["id"] for relation in value if "id" in relation]
        if len(ids) != len(set(ids)):
            raise serializers.ValidationError("A relation stands here twice.", code="unique")
        return value


class PersonAtClientSerializer(Serializer):
    """A contact, with what it is to the client."""

    contact_id = serializers.UUIDField()
    name = serializers.CharField(source="contact.__str__", read_only=True)
    email = serializers.CharField(source="contact.email", read_only=True)
    phone = serializers.CharField(source="contact.phone", read_only=True, allow_null=True)
    phone_formatted = serializers.SerializerMethodField()
    id = serializers.UUIDField(read_only=True, help_text="Of the relation.")
    role = serializers.ChoiceField(choices=RelationRole.choices, required=False)
    title = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_primary = serializers.BooleanField(required=False)
    started_on = serializers.DateField(required=False, allow_null=True)
    ended_on = serializers.DateField(required=False, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)

    def get_phone_formatted(self, relation: ClientContact) -> str | None:
        return format_for_people(relation.contact.phone) if relation.contact.phone else None


class ClientSummarySerializer(Serializer):
    """What matters about a client at a glance."""

    client_id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=ClientStatus.choices)
    verification = serializers.ChoiceField(choices=Verification.choices)
    people = serializers.IntegerField(help_text="Who belongs to it now.")
    primary_contact = NamedSerializer()
    subsidiaries = serializers.IntegerField()
    last_activity_at = serializers.DateTimeField()
    figures = serializers.DictField(help_text="What sales and recruitment know of it: open deals, open jobs, ...")


class ClientHistorySerializer(Serializer):
    """One change, without values."""

    id = serializers.UUIDField()
    action = serializers.CharField()
    user_id = serializers.UUIDField(allow_null=True)
    user = serializers.CharField(allow_null=True, help_text="Name of who did it.")
    details = serializers.DictField()
    timestamp = serializers.DateTimeField(source="created_at")


class ClientBulkDataSerializer(Serializer):
    tags = TagsField(required=False, help_text="For add-tags and remove-tags.")
    assigned_to = AssigneeField(
        required=False, allow_null=True, source="assigned_to_id", help_text="For assign; null is nobody."
    )
    status = serializers.ChoiceField(choices=ClientStatus.choices, required=False, help_text="For set-status.")


class ClientBulkSerializer(BulkActionSerializer):
    """One action on up to 10,000 clients."""

    NEEDS = {"add-tags": "tags", "remove-tags": "tags", "assign": "assigned_to_id", "set-status": "status"}

    client_ids = IdsField(max_length=MAX_CONTACTS)
    action = serializers.ChoiceField(choices=list(ACTIONS))
    data = ClientBulkDataSerializer(required=False)  # type: ignore[assignment]


class ClientErrorSerializer(BulkErrorSerializer):
    client_id = serializers.UUIDField()


class ClientBulkResultSerializer(BulkOutcomeSerializer):
    """What became of a bulk operation."""

    errors = ClientErrorSerializer(many=True)  # type: ignore[assignment]


PRIMARY = (
    "(SELECT json_build_object('id', person.id, 'name', coalesce("
    "nullif(btrim(person.first_name || ' ' || person.last_name), ''), nullif(person.email, ''), person.phone))::text"
    " FROM client_contacts AS relation JOIN contacts AS person"
    " ON person.organization_id = relation.organization_id AND person.id = relation.contact_id"
    " WHERE relation.organization_id = client.organization_id AND relation.client_id = client.id"
    " AND relation.is_primary AND person.deleted_at IS NULL)"
)
COLUMNS = {
    "id": "client.id",
    "name": "client.name",
    "legalName": "client.legal_name",
    "domain": "client.domain",
    "website": "client.website",
    "linkedinUrl": "client.linkedin_url",
    "industry": "client.industry",
    "size": "client.size",
    "annualRevenue": "client.annual_revenue::text",
    "currency": "client.currency",
    "taxId": "client.tax_id",
    "email": "client.email",
    "phone": "client.phone",
    "address": "client.address",
    "city": "client.city",
    "state": "client.state",
    "zip": "client.zip",
    "country": "client.country",
    "tags": "client.tags",
    "customFields": "client.custom_fields::text",
    "status": "client.status",
    "source": "client.source",
    "notes": "client.notes",
    "verification": "client.verification",
    "verificationNote": "client.verification_note",
    "verifiedAt": iso_time("client.verified_at"),
    "createdAt": iso_time("client.created_at"),
    "updatedAt": iso_time("client.updated_at"),
    "deletedAt": iso_time("client.deleted_at"),
    "primaryContact": PRIMARY,
    "parent_id": "parent.id",
    "parent_name": "parent.name",
    "assignee_id": "assignee.id",
    "assignee_name": "coalesce(nullif(assignee.name, ''), assignee.email)",
    "creator_id": "creator.id",
    "creator_name": "coalesce(nullif(creator.name, ''), creator.email)",
    "verifier_id": "verifier.id",
    "verifier_name": "coalesce(nullif(verifier.name, ''), verifier.email)",
}
SELECT = (
    f"SELECT {', '.join(COLUMNS.values())} FROM clients AS client"  # noqa: S608 - all literals
    " LEFT JOIN clients AS parent ON parent.organization_id = client.organization_id AND parent.id = client.parent_id"
    " AND parent.deleted_at IS NULL"
    " LEFT JOIN users AS assignee ON assignee.id = client.assigned_to_id"
    " LEFT JOIN users AS creator ON creator.id = client.created_by_id"
    " LEFT JOIN users AS verifier ON verifier.id = client.verified_by_id"
    " WHERE client.organization_id = %s AND client.id = ANY(%s) AND (client.deleted_at IS NOT NULL) = %s"
)


def client_rows(client_ids: list[uuid.UUID], *, trash: bool = False) -> list[dict[str, Any]]:
    """Return clients of the open organization as the API shows them, in the order of the ids; or those in the trash."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT, [current_organization_id(), client_ids, trash])
        rows = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()}
    for row in rows.values():
        row["phoneFormatted"] = format_for_people(row["phone"]) if row["phone"] else ""
        row["customFields"] = orjson.Fragment(row["customFields"])
        row["primaryContact"] = orjson.Fragment(row["primaryContact"]) if row["primaryContact"] else None
        for name, source in (("parent", "parent"), ("assignedTo", "assignee"), ("createdBy", "creator")):
            row[name] = _named(row.pop(f"{source}_id"), row.pop(f"{source}_name"))
        row["verifiedBy"] = _named(row.pop("verifier_id"), row.pop("verifier_name"))
        deleted_at = row.pop("deletedAt")
        if trash:
            row["deletedAt"] = deleted_at
    return [rows[client_id] for client_id in client_ids if client_id in rows]


def _named(row_id: uuid.UUID | None, name: str) -> dict[str, Any] | None:
    return {"id": row_id, "name": name} if row_id else None
