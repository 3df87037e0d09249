"""Interviews with their scorecards, offers with their approval, placements."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from contacts.admin.panels import render
from contacts.client_panels import PanelTable
from recruitment.models import (
    NEXT_OFFER_STATUSES,
    Interview,
    Interviewer,
    InterviewStatus,
    Offer,
    OfferStatus,
    Placement,
    Scorecard,
)
from recruitment.models.profiles import Salary, SalaryPeriod
from recruitment.services import interviews, offers
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin, members
from vocelio.languages.numbers import money
from vocelio.users.models import User

MARKS = {"1", "2", "3", "4", "5"}
MAX_CRITERIA, MAX_CRITERION = 30, 100
SALARY = {"amount", "currency", "period"}
OFFER_LABELS = {"Accepted": "success", "Declined": "danger", "Withdrawn": "warning", "Sent": "info"}
VERDICTS = {"Strong no": "danger", "No": "danger", "Undecided": "warning", "Yes": "success", "Strong yes": "success"}


class InterviewForm(TenantForm):
    """An interview, with who takes part and what everybody is to judge."""

    interviewers = forms.ModelMultipleChoiceField(
        User.objects.none(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Each gets an invitation, and writes a scorecard that others see once theirs is in.",
    )
    criteria = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget, help_text="What every scorecard judges, a line each."
    )
    timezone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(available_timezones())],
        initial="UTC",
        widget=UnfoldAdminSelectWidget,
        help_text="The applicant's, for the invitation.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        interview: Interview | None = kwargs.get("instance")
        super().__init__(*args, **kwargs)
        if interview is not None:
            self.initial["interviewers"] = list(interview.interviewers.values_list("user_id", flat=True))
            self.initial["criteria"] = "\n".join(interview.criteria)

    def clean_criteria(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["criteria"].splitlines() if line.strip()]
        if len(lines) > MAX_CRITERIA or any(len(line) > MAX_CRITERION for line in lines):
            raise ValidationError(f"At most {MAX_CRITERIA} lines of {MAX_CRITERION} characters.")
        return lines


@admin.register(Interview)
class InterviewAdmin(TenantAdmin):
    permissions = {"view": "applications:read", **dict.fromkeys(["add", "change"], "applications:write")}
    section = "Recruitment"
    icon = "forum"
    form = InterviewForm

    ordering = ("-starts_at", "-id")
    list_display = ("title", "who", "kind", "state", "starts_at", "timezone")
    list_select_related = ("application__contact", "application__job")
    list_filter = ("status", "kind")
    autocomplete_fields = ("application",)
    readonly_fields = ("who",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            "who" if obj else "application",
            ("title", "kind"),
            "starts_at",
            "ends_at",
            ("timezone", "status") if obj else "timezone",
            "location",
            "agenda",
            "criteria",
            "interviewers",
            "invites_candidate",
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.base_fields["interviewers"].queryset = members(self.principal(request))
        return form

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("application__contact__search")

    @admin.display(description="Applicant")
    def who(self, interview: Interview) -> str:
        return str(interview.application)

    @display(  # type: ignore[untyped-decorator]
        description="Status", label={label: "info" for _, label in InterviewStatus.choices}
    )
    def state(self, interview: Interview) -> str:
        return interview.get_status_display()

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Interview:
        return interviews.create_interview(**_with_ids(data))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            return super().save_model(request, obj, form, change)
        if changes := {name: form.cleaned_data[name] for name in form.changed_data}:
            interviews.update_interview(interview=obj, **_with_ids(changes))
        return None


def _with_ids(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with the interviewers as the service takes them."""
    people = {"interviewers": [user.pk for user in values["interviewers"]]} if "interviewers" in values else {}
    return {**values, **people}


class ScorecardForm(TenantForm):
    """One's own scorecard, a draft until it is handed in, with a line of its text for each mark."""

    ratings = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget, help_text="A line each, 1 to 5: Communication: 4."
    )

    submit = forms.BooleanField(
        label="Hand it in", required=False, help_text="For good; a draft is seen by nobody.", widget=UnfoldBooleanWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        card: Scorecard | None = kwargs.get("instance")
        super().__init__(*args, **kwargs)
        if card is not None:
            names = dict.fromkeys([*card.interview.criteria, *card.ratings])
            self.initial["ratings"] = "\n".join(f"{name}: {card.ratings.get(name, '')}".strip() for name in names)

    def clean_ratings(self) -> dict[str, int]:
        ratings = {}
        for line in filter(None, map(str.strip, self.cleaned_data["ratings"].splitlines())):
            name, _, mark = (part.strip() for part in line.rpartition(":"))
            if mark and mark not in MARKS:
                raise ValidationError(f"{line[:60]}: a mark is 1 to 5.")
            if mark:
                ratings[name] = int(mark)
        return ratings


@admin.register(Scorecard)
class ScorecardAdmin(TenantAdmin):
    """Those one may see: others' only once one's own is in. One writes one's own."""

    permissions = {"view": "applications:read", **dict.fromkeys(["add", "change"], "applications:write")}
    section = "Recruitment"
    icon = "fact_check"
    form = ScorecardForm

    list_display = ("interview", "user", "state", "submitted_at", "created_at")
    list_select_related = ("interview", "user")
    list_filter = ("verdict",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_open = obj is None or (obj.submitted_at is None and obj.user_id == self.principal(request).user_id)
        return is_open and super().has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        written = ["verdict", "strengths", "concerns"]
        if obj is None or self.has_change_permission(request, obj):
            return ["interview", "ratings", *written, "submit"]
        return ["interview", ("user", "submitted_at"), "marks", *written]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("interview", "user", "marks", "submitted_at") if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "interview":
            mine = Interviewer.objects.filter(user_id=self.principal(request).user_id).values("interview")
            kwargs["queryset"] = Interview.objects.filter(pk__in=mine).order_by("-starts_at")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description="Verdict", label=VERDICTS)  # type: ignore[untyped-decorator]
    def state(self, scorecard: Scorecard) -> str:
        return scorecard.get_verdict_display()

    @admin.display(description="Ratings")
    def marks(self, scorecard: Scorecard) -> SafeString:
        return render(PanelTable(["What", "1 to 5"], [("", [str(n), str(v)]) for n, v in scorecard.ratings.items()]))

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Scorecard:
        return interviews.score(user_id=self.principal(request).user_id, **data)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            return super().save_model(request, obj, form, change)
        interviews.score(interview=obj.interview, user_id=obj.user_id, **form.cleaned_data)
        return None


class OfferForm(TenantForm):
    """An offer, with what it may become, and the salary, which rests encrypted."""

    becomes = forms.ChoiceField(label="Status", required=False, widget=UnfoldAdminSelectWidget)
    amount = forms.DecimalField(
        label="Salary",
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    currency = forms.RegexField(r"^[A-Z]{3}$", required=False, help_text="ISO 4217.", widget=UnfoldAdminTextInputWidget)
    period = forms.ChoiceField(required=False, choices=reversed(SalaryPeriod.choices), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        offer: Offer | None = kwargs.get("instance")
        super().__init__(*args, **kwargs)
        present = OfferStatus(offer.status if offer is not None else OfferStatus.DRAFT)
        labels, choices = dict(OfferStatus.choices), (present, *NEXT_OFFER_STATUSES[present])
        if "becomes" in self.fields:
            self.fields["becomes"].choices = [(each, labels[each]) for each in choices]  # type: ignore[attr-defined]
            self.initial["becomes"] = present
        if offer is not None and (salary := offer.amount):
            self.initial.update(salary._asdict())

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if cleaned.get("amount") and not cleaned.get("currency"):
            self.add_error("currency", "Say in which currency.")
        return cleaned


@admin.register(Offer)
class OfferAdmin(TenantAdmin):
    permissions = {"view": "offers:read", **dict.fromkeys(["add", "change"], "offers:write")}
    section = "Recruitment"
    icon = "contract"
    form = OfferForm

    list_display = ("job", "state", "starts_on", "expires_on", "approved_by", "sent_at", "decided_at", "created_at")
    list_select_related = ("job", "approved_by")
    list_filter = ("status",)
    autocomplete_fields = ("application",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown: list[Any] = [("starts_on", "expires_on"), "terms"]
        if self.principal(request).may("profiles:salary"):
            shown[:0] = [("amount", "currency"), "period"]
        if obj is None:
            return [(None, {"fields": ["application", *shown]})]
        approval = ("approved_by", "approved_at"), ("sent_at", "decided_at")
        return [(None, {"fields": ["job", ("becomes", "note"), *shown]}), ("Approval", {"fields": approval})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("job", "approved_by", "approved_at", "sent_at", "decided_at")

    @display(description="Status", label=OFFER_LABELS)  # type: ignore[untyped-decorator]
    def state(self, offer: Offer) -> str:
        return offer.get_status_display()

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Offer:
        return offers.create_offer(**with_salary(data))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Change the draft, then its status, as two people's work at the API would."""
        if not change:
            return super().save_model(request, obj, form, change)
        given, changed = form.cleaned_data, set(form.changed_data)
        names = changed & {"starts_on", "expires_on", "terms"}
        if changed & SALARY:
            names |= SALARY
        if names:
            offers.update_offer(offer=obj, **with_salary({name: given[name] for name in names}))
        if "becomes" in changed:
            principal = self.principal(request)
            offers.change_offer_status(offer=obj, principal=principal, status=given["becomes"], note=given["note"])
        return None


def with_salary(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with the salary as the service takes it."""
    values = {name: value for name, value in values.items() if name not in ("becomes", "note")}
    amount, currency, period = (values.pop(name, None) for name in ("amount", "currency", "period"))
    if amount is not None:
        values["salary"] = Salary(amount, currency, period).to_text()
    return values


@admin.register(Placement)
class PlacementAdmin(TenantAdmin):
    permissions = {"view": "offers:read", **dict.fromkeys(["add", "change"], "offers:write")}
    section = "Recruitment"
    icon = "badge"

    list_display = ("contact", "job", "client", "status", "starts_on", "earned", "created_at")
    list_select_related = ("contact", "job", "client")
    list_filter = ("status",)
    autocomplete_fields = ("application",)
    readonly_fields = ("contact", "job", "client")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        who = [("contact", "job", "client"), "status"] if obj else ["application"]
        return [*who, ("starts_on", "ends_on"), "guarantee_until", ("fee", "currency")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("contact__search", "client__search")

    @admin.display(description="Fee")
    def earned(self, placement: Placement) -> str:
        return money(placement.fee, placement.currency) if placement.fee else ""

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Placement:
        return offers.create_placement(**data)

    def perform_update(self, request: HttpRequest, obj: Placement, changes: dict[str, Any]) -> None:
        offers.update_placement(placement=obj, **changes)
