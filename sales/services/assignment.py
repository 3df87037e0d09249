"""Who gets a lead: rules in their order, the members of a rule in turn."""

from typing import Any

from django.db import IntegrityError, transaction

from contacts.models import Contact
from sales.models import AssignmentRule
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.organizations.models import Membership
from vocelio.organizations.scope import current_organization_id

CRITERIA = ("source", "country", "state", "city", "company", "tags")


class RuleExists(Conflict):
    code = "ASSIGNMENT_RULE_EXISTS"
    message = "There is already an assignment rule of this name."


def create_rule(**fields: Any) -> AssignmentRule:
    rule = AssignmentRule(**fields)
    _check_members(rule)
    _save(rule)
    record("assignment_rule.created", "assignmentrule", rule.pk)
    return rule


def update_rule(rule: AssignmentRule, **fields: Any) -> AssignmentRule:
    for name, value in fields.items():
        setattr(rule, name, value)
    _check_members(rule)
    _save(rule)
    record("assignment_rule.updated", "assignmentrule", rule.pk, fields=sorted(fields))
    return rule


def delete_rule(rule: AssignmentRule) -> None:
    rule_id = rule.pk
    rule.delete()
    record("assignment_rule.deleted", "assignmentrule", rule_id)


def assignee_of(contact: Contact) -> Any:
    """Return the id of the member whose turn it is by the first rule the contact meets; None when none fits.

    Takes the turn in the open transaction; of two leads at once each goes to another.
    """
    for rule in AssignmentRule.objects.filter(is_active=True).order_by("position", "created_at"):
        if _meets(contact, rule.criteria):
            assignee = _take_turn(rule)
            if assignee is not None:
                return assignee
    return None


def _meets(contact: Contact, criteria: dict[str, list[str]]) -> bool:
    for name, accepted in criteria.items():
        value = getattr(contact, name)
        values = {text.casefold() for text in (value if isinstance(value, list) else [value])}
        if values.isdisjoint(text.casefold() for text in accepted):
            return False
    return True


def _take_turn(rule: AssignmentRule) -> Any:
    locked = AssignmentRule.objects.select_for_update(no_key=True).get(pk=rule.pk)
    active = set(
        Membership.objects.active()
        .filter(organization_id=current_organization_id(), user_id__in=locked.members)
        .values_list("user_id", flat=True)
    )
    # Whoever has left is passed over.
    for step in range(len(locked.members)):
        member = locked.members[(locked.turn + step) % len(locked.members)]
        if member in active:
            AssignmentRule.objects.filter(pk=locked.pk).update(turn=locked.turn + step + 1)
            return member
    return None


def _check_members(rule: AssignmentRule) -> None:
    members = Membership.objects.filter(organization_id=current_organization_id(), is_active=True)
    unknown = set(rule.members) - set(members.filter(user_id__in=rule.members).values_list("user_id", flat=True))
    if unknown:
        raise Invalid.field("members", "There is no such member.", value=str(min(unknown)), constraint="does_not_exist")


def _save(rule: AssignmentRule) -> None:
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError as error:
        if "one_assignment_rule_per_name" not in str(error):
            raise
        raise RuleExists(field="name", value=rule.name, constraint="unique") from None
