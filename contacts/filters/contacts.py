import re
import uuid
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import django_filters
from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from contacts.models import ContactList, ContactStatus, CustomField, LiveContact
from contacts.models.live import LiveContactQuerySet
from vocelio.access.principal import Principal
from vocelio.errors import Invalid

CUSTOM = (
    "Conditions on custom fields, separated by semicolons; all must hold: `key=value` (of several choices: one of "
    "them), `key!=value`, `key>=value`, `key<=value`, `key` (there is a value), `!key` (there is none)."
)
_CONDITION = re.compile(
    r"(?P<negated>!)?(?P<key>[A-Za-z0-9_ -]{1,60})(?:(?P<operator>!=|>=|<=|=)(?P<value>.*))?", re.DOTALL
)
MAX_IDS = 10_000
MAX_CONDITIONS = 20

SEARCH = (
    "Words of name or company, an e-mail address or its domain, each from its beginning; or the last digits of the "
    "phone, four at least. All must be there."
)


@extend_schema_field(OpenApiTypes.BOOL)
class BooleanFilter(django_filters.TypedChoiceFilter):
    """`true` or `false`; anything else is an error rather than no filter."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false")], coerce=lambda value: value == "true", **kwargs)


class ContactFilter(django_filters.FilterSet):
    """What GET /contacts can be narrowed by. Upper and lower case are alike."""

    search = django_filters.CharFilter(method="with_search", max_length=200, label=SEARCH)
    listId = django_filters.UUIDFilter(method="with_list", label="Members of this list.")
    status = django_filters.ChoiceFilter(method="with_facet", choices=ContactStatus.choices)
    tags = django_filters.CharFilter(
        method="with_tags", max_length=2000, label="Tags, separated by commas; all must be there."
    )
    company = django_filters.CharFilter(method="with_facet", max_length=255)
    city = django_filters.CharFilter(method="with_facet", max_length=100)
    state = django_filters.CharFilter(method="with_facet", max_length=50)
    country = django_filters.CharFilter(method="with_facet", max_length=2)
    source = django_filters.CharFilter(method="with_facet", max_length=100)
    createdFrom = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="Not before.")
    createdTo = django_filters.IsoDateTimeFilter(method="until", label="Not after; a date means its whole day (UTC).")
    updatedFrom = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte", label="Not before.")
    updatedTo = django_filters.IsoDateTimeFilter(method="until", label="Not after; a date means its whole day (UTC).")
    hasEmail = BooleanFilter(method="with_email")
    hasPhone = BooleanFilter(method="with_phone")
    ids = django_filters.CharFilter(
        method="with_ids", max_length=37 * MAX_IDS, label=f"Of these ids alone, up to {MAX_IDS:,}, separated by commas."
    )
    custom = django_filters.CharFilter(method="with_custom", max_length=2000, label=CUSTOM)
    assignedTo = django_filters.CharFilter(
        method="with_assignee", max_length=36, label="A member's id, `me`, or `none`."
    )

    MARKS = {"status": "=a", "company": "=k", "city": "=c", "state": "=s", "country": "=l", "source": "=o"}

    def with_search(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        return queryset.search(value)

    def with_list(self, queryset: LiveContactQuerySet, name: str, value: uuid.UUID) -> LiveContactQuerySet:
        saved = ContactList.objects.filter(pk=value).dynamic().values_list("filter", flat=True).first()
        if saved is None:
            return queryset.on_list(value)
        return filter_contacts(queryset, saved, self.request.user)  # type: ignore[union-attr, arg-type]

    def with_facet(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        return queryset.having(self.MARKS[name], value)

    def with_tags(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        return queryset.having("=t", *(tag.strip() for tag in value.split(",") if tag.strip()))

    def until(self, queryset: LiveContactQuerySet, name: str, value: Any) -> LiveContactQuerySet:
        column = {"createdTo": "created_at", "updatedTo": "updated_at"}[name]
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str((self.data or {}).get(name)).strip()):
            return queryset.filter(**{f"{column}__lt": value + timedelta(days=1)})
        return queryset.filter(**{f"{column}__lte": value})

    def with_email(self, queryset: LiveContactQuerySet, name: str, value: bool) -> LiveContactQuerySet:
        return queryset.exclude(email="") if value else queryset.having("=e", "")

    def with_phone(self, queryset: LiveContactQuerySet, name: str, value: bool) -> LiveContactQuerySet:
        return queryset.filter(phone__isnull=False) if value else queryset.having("=p", "")

    def with_assignee(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        caller: Principal = self.request.user  # type: ignore[union-attr, assignment]
        if value == "none":
            return queryset.having("=u", "")
        if value == "me":
            return queryset.having("=u", str(caller.user_id))
        try:
            return queryset.having("=u", str(uuid.UUID(value)))
        except ValueError:
            raise Invalid.field(
                "assignedTo", "assignedTo is a member's id, `me` or `none`.", value=value, constraint="invalid"
            ) from None

    def with_ids(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        try:
            ids = {uuid.UUID(text.strip()) for text in value.split(",")}
        except ValueError:
            raise Invalid.field(
                name, "Give ids, separated by commas.", value=value[:80], constraint="invalid"
            ) from None
        return queryset.filter(pk__in=ids)

    def with_custom(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        conditions = [text.strip() for text in value.split(";") if text.strip()]
        if len(conditions) > MAX_CONDITIONS:
            raise Invalid.field(name, f"At most {MAX_CONDITIONS} conditions.", constraint="max_length")
        kinds = dict(CustomField.objects.values_list("key", "kind"))
        for text in conditions:
            condition = _CONDITION.fullmatch(text)
            if condition is None or (condition["negated"] and condition["operator"]):
                raise Invalid.field(name, f"Not a condition: {text[:80]}.", value=text[:80], constraint="invalid")
            queryset = _having_custom(queryset, kinds, **condition.groupdict())
        return queryset


def _having_custom(
    queryset: LiveContactQuerySet,
    kinds: Mapping[str, str],
    negated: str | None,
    key: str,
    operator: str | None,
    value: str | None,
) -> LiveContactQuerySet:
    """Narrow by one condition; values are compared as the field's kind says, as text where there is no definition."""
    key, column = key.strip(), f"custom_fields__{key.strip()}"
    if operator is None:
        has = Q(custom_fields__has_key=key)
        return queryset.exclude(has) if negated else queryset.filter(has)
    wanted: Any = (value or "").strip()
    kind = kinds.get(key)
    try:
        if kind == CustomField.Kind.NUMBER:
            wanted = float(wanted)
        elif kind == CustomField.Kind.BOOLEAN:
            wanted = {"true": True, "false": False}[wanted.lower()]
    except (ValueError, KeyError):
        raise Invalid.field("custom", f"{key} is a {kind}.", value=wanted[:80], constraint="invalid") from None
    if operator in ("=", "!="):
        if kind == CustomField.Kind.MULTI_CHOICE:
            equal = Q(custom_fields__contains={key: [wanted]})
        elif kind is None:
            equal = Q(custom_fields__contains={key: wanted})
            if re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", wanted):
                equal |= Q(custom_fields__contains={key: float(wanted)})
        else:
            equal = Q(custom_fields__contains={key: wanted})
        return queryset.filter(equal) if operator == "=" else queryset.exclude(equal)
    if kind is None and re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", wanted):
        wanted = float(wanted)
    # jsonb orders values of different types by type, so what is no number is not compared with one.
    bounds = {f"{column}__{'gte' if operator == '>=' else 'lte'}": wanted}
    if isinstance(wanted, float):
        bounds |= {f"{column}__gte": -1e300, f"{column}__lte": 1e300} | bounds
    return queryset.filter(**bounds)


def filter_contacts(
    queryset: LiveContactQuerySet, parameters: Mapping[str, Any], principal: Principal
) -> LiveContactQuerySet:
    """Narrow by a saved filter: parameters of GET /contacts as JSON; raise Invalid naming each bad one."""
    known = ContactFilter.base_filters
    errors = [
        {"field": f"filter.{name[:60]}", "value": None, "constraint": "unknown", "message": "There is no such filter."}
        for name in parameters
        if name not in known
    ] + [
        {"field": f"filter.{name[:60]}", "value": None, "constraint": "invalid", "message": "This must be text."}
        for name, value in parameters.items()
        if not isinstance(value, (str, int, float)) or "\0" in str(value)
    ]
    if errors:
        raise Invalid("The filter is not valid.", errors=errors)
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in parameters.items()}
    chosen = ContactFilter(texts, queryset=queryset, request=SimpleNamespace(user=principal))  # type: ignore[arg-type]
    if not chosen.is_valid():
        raise Invalid(
            "The filter is not valid.",
            errors=[
                {
                    "field": f"filter.{name}",
                    "value": texts.get(name),
                    "constraint": "invalid",
                    "message": str(messages[0]),
                }
                for name, messages in chosen.form.errors.items()
            ],
        )
    return cast(LiveContactQuerySet, chosen.qs)


def contacts_matching(parameters: Mapping[str, Any], principal: Principal) -> LiveContactQuerySet:
    """Return the contacts outside the trash that a saved filter finds for this person."""
    return filter_contacts(LiveContact.objects.get_queryset().visible_to(principal), parameters, principal)


def check_filter(parameters: Mapping[str, Any] | None, principal: Principal) -> None:
    """Raise Invalid when this is no filter for a list or view, or asks for a dynamic list, which could be itself."""
    if parameters is None:
        return
    contacts_matching(parameters, principal)
    list_id = parameters.get("listId")
    if list_id and ContactList.objects.filter(pk=list_id).dynamic().exists():
        raise Invalid.field("filter.listId", "A filter cannot use a dynamic list.", constraint="dynamic")
