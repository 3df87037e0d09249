"""The admin site: who may enter, which organization they look into, and what the sidebar offers."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.sites import UnfoldAdminSite

from vocelio.access.principal import Entrance
from vocelio.audit.context import identify
from vocelio.audit.services import record
from vocelio.backoffice.chosen import choose, lacks_second_factor, organizations_of, principal_of
from vocelio.backoffice.dashboard import dashboard
from vocelio.backoffice.entrance import ask_second_step, second_step, sso_begin, sso_link
from vocelio.backoffice.forms import PasswordForm, SecondStepNeeded
from vocelio.backoffice.jobs import job_progress, jobs_page
from vocelio.backoffice.preferences import preferences_page
from vocelio.backoffice.retention import retention_page
from vocelio.backoffice.security import may_set_security, security_page, security_test
from vocelio.backoffice.two_step import two_step_page
from vocelio.errors import VocelioError
from vocelio.languages.labels import translate_form
from vocelio.languages.middleware import speak_to
from vocelio.languages.translate import translated
from vocelio.operations.doctor import examine
from vocelio.operations.findings import Level
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

View = Callable[..., HttpResponse]

# What can be done before an organization is chosen, or while there is none.
WITHOUT_ORGANIZATION = {
    "choose_organization",
    "logout",
    "password_change",
    "password_change_done",
    "jsi18n",
    "organizations_organization_add",
    "health",
}
# What counts guesses although it refuses them, or waits for another server: without a transaction around it.
OUTSIDE = {"password_change", "two_step", "security_test"}
# What apps add stands before these in the sidebar.
LAST_SECTIONS = ["Organization", "Platform"]
# How many organizations the picker shows; more are found on the page to choose from.
SHOWN_IN_PICKER = 12


class BackOffice(UnfoldAdminSite):  # type: ignore[misc]
    """Every page works inside the scope of the chosen organization: one request, one transaction."""

    enable_nav_sidebar = True
    index_title = "Dashboard"
    index_template = "backoffice/dashboard.html"
    login_template = "backoffice/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in the platform's operators, and staff who administer or manage an organization."""
        user = request.user
        if not user.is_active:
            return False
        if user.is_superuser or principal_of(request) is not None:
            return True
        return organizations_of(user, Entrance.of(request.session)).exists()

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded: View = super().admin_view(within_organization(view), cacheable)
        return guarded

    def extra_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages that belong to no table; unfold adds them to the site's."""
        return [
            # Before anybody is signed in, so not admin_view.
            path("login/second-step/", second_step, name="second_step"),
            path("login/sso/", sso_begin, name="sso_begin"),
            path("login/sso/link/", sso_link, name="sso_link"),
            path("two-step/", self.admin_view(self.two_step), name="two_step"),
            path("preferences/", self.admin_view(self.preferences), name="preferences"),
            path("security/", self.admin_view(self.security), name="security"),
            path("security/test/", self.admin_view(security_test), name="security_test"),
            path("retention/", self.admin_view(self.retention), name="retention"),
            path("organization/", self.admin_view(self.choose_organization), name="choose_organization"),
            path("jobs/", self.admin_view(self.jobs), name="jobs"),
            path("health/", self.admin_view(self.health), name="health"),
            path("jobs/progress/", self.admin_view(job_progress), name="job_progress"),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        page: TemplateResponse = super().index(request, {**dashboard(request), **(extra_context or {})})
        return page

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Log in by password; who needs a second step goes on to its page."""
        try:
            context = {"installation_sso": settings.OIDC_NAME if settings.OIDC_ISSUER else "", **(extra_context or {})}
            page: HttpResponse = super().login(request, context)
        except SecondStepNeeded as needed:
            return ask_second_step(request, needed.challenge)
        return page

    def two_step(self, request: HttpRequest) -> HttpResponse:
        """Set up, renew or end one's own two-step log-in."""
        return two_step_page(request, {**self.each_context(request), "title": translated("Two-step log-in")})

    def preferences(self, request: HttpRequest) -> HttpResponse:
        """Choose one's own language and time zone."""
        return preferences_page(request, {**self.each_context(request), "title": "Language and time zone"})

    def security(self, request: HttpRequest) -> HttpResponse:
        """Set how members of the organization log in."""
        return security_page(request, {**self.each_context(request), "title": "Security"})

    def retention(self, request: HttpRequest) -> HttpResponse:
        """Set how long the organization keeps what."""
        return retention_page(request, {**self.each_context(request), "title": "Retention"})

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Change one's own password by the service of the API."""
        view = PasswordChangeView.as_view(
            form_class=PasswordForm,
            template_name="registration/password_change_form.html",
            success_url=reverse("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)

    def jobs(self, request: HttpRequest) -> HttpResponse:
        """Show the latest runs of every kind."""
        context = {**self.each_context(request), **jobs_page(request), "title": "Jobs"}
        return TemplateResponse(request, "backoffice/jobs.html", context)

    def health(self, request: HttpRequest) -> HttpResponse:
        """Show the platform's operators what `manage.py doctor` finds."""
        if not request.user.is_superuser:
            raise PermissionDenied
        findings = sorted(examine(), key=lambda finding: list(Level).index(finding.level), reverse=True)
        context = {**self.each_context(request), "findings": findings, "title": "Health of the installation"}
        return TemplateResponse(request, "backoffice/health.html", context)

    def choose_organization(self, request: HttpRequest) -> HttpResponse:
        """Show the organizations to look into; look into the posted one."""
        organizations = organizations_of(request.user, Entrance.of(request.session))
        if request.method == "POST":
            organization = get_object_or_404(organizations, slug=request.POST.get("organization", ""))
            choose(request, organization)
            with organization_scope(organization.pk):
                record("organization.entered", "organization", organization.pk)
            return redirect("admin:index")
        query = request.GET.get("q", "").strip()
        if query:
            organizations = organizations.filter(name__icontains=query)
        context = {
            **self.each_context(request),
            "title": "Choose an organization",
            "organizations": organizations.order_by("name")[:50],
            "query": query,
        }
        return TemplateResponse(request, "backoffice/choose_organization.html", context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the tables of one app, for the page of it; every other page has the sidebar instead."""
        return super().get_app_list(request, app_label) if app_label else []

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Gather the pages this person may see, by section in the order of the installed apps."""
        if principal_of(request) is None and not request.user.is_superuser:
            return []
        sections: dict[str, list[dict[str, Any]]] = {
            "": [
                sidebar_item(request, "Dashboard", "space_dashboard", reverse("admin:index"), is_exact=True),
                sidebar_item(request, "Jobs", "manufacturing", reverse("admin:jobs")),
            ]
        }
        for model, page in self._registry.items():
            if getattr(page, "section", None) and page.has_view_permission(request):
                address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
                title = page.menu_title or str(model._meta.verbose_name_plural).capitalize()
                items = [(title, page.icon, address)]
                items += getattr(page, "sidebar_extra", lambda: [])()
                sections.setdefault(page.section, []).extend(sidebar_item(request, *item) for item in items)
        if request.user.is_superuser:
            item = sidebar_item(request, "Health of the installation", "monitor_heart", reverse("admin:health"))
            sections.setdefault("Platform", []).append(item)
        if may_set_security(request):
            pages = [("Security", "shield_lock", "admin:security"), ("Retention", "auto_delete", "admin:retention")]
            sections.setdefault("Organization", []).extend(
                sidebar_item(request, title, icon, reverse(name)) for title, icon, name in pages
            )
        for title in LAST_SECTIONS:
            sections[title] = sections.pop(title, [])
        # A page below another is in one place: the nearest.
        lit = [item for items in sections.values() for item in items if item["active"]]
        for item in sorted(lit, key=lambda item: len(item["link"]))[:-1]:
            item["active"] = False
        return [
            {"title": translated(title), "items": items, "separator": bool(title)} for title, items in sections.items()
        ]


def sidebar_item(request: HttpRequest, title: str, icon: str, link: str, *, is_exact: bool = False) -> dict[str, Any]:
    """Return a link of the sidebar; it is lit on the pages below it too, unless `is_exact`."""
    here, _, query = link.partition("?")
    active = request.path == here if is_exact else request.path.startswith(here)
    # A link with a filter is another place than the same page without it.
    active = active and (
        query in request.META.get("QUERY_STRING", "") if query else "trash=" not in request.META.get("QUERY_STRING", "")
    )
    return {"title": translated(title), "icon": icon, "link": link, "active": active, "has_permission": True}


def within_organization(view: View) -> View:
    """Run an admin view in the scope of the chosen organization; without one, ask for it.

    The page is rendered inside, since templates still read tables. An error answer undoes what was written,
    and what the person may not do is audited.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.pk is not None:
            identify(request.user.pk)
        principal = principal_of(request)
        if principal is not None:
            speak_to(principal, with_time_zone=True)
        page = request.resolver_match.url_name if request.resolver_match else None
        # Wrong guesses of the old password are counted although they are refused.
        if page in OUTSIDE or (principal is None and page in WITHOUT_ORGANIZATION):
            return view(request, *args, **kwargs)
        if principal is None:
            return redirect("admin:two_step" if lacks_second_factor(request) else "admin:choose_organization")
        try:
            with organization_scope(principal.organization_id):
                response = view(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse):
                    _translate_titles(response)
                    response.render()
                if response.status_code >= 400 and connection.in_atomic_block:
                    transaction.set_rollback(True)
                return response
        except VocelioError as error:
            messages.error(request, error.message)
            return redirect(request.get_full_path() if request.method == "POST" else "admin:index")
        except PermissionDenied:
            with organization_scope(principal.organization_id):
                record("access.refused", page or "admin", method=request.method, path=request.path[:200])
                return refusal_page(request, 403, "Your role does not allow this.")
        except Http404:
            with organization_scope(principal.organization_id):
                return refusal_page(request, 404, "There is nothing here.")

    return wrapper


def _translate_titles(response: SimpleTemplateResponse) -> None:
    """Have what views call their page read in the viewer's language."""
    context: Any = response.context_data or {}
    for name in ("title", "subtitle", "content_title"):
        if isinstance(context.get(name), str):
            context[name] = translated(context[name])
    if "adminform" in context:
        page = context["adminform"]
        page.fieldsets = [_read_aloud(name, options) for name, options in page.fieldsets]
        translate_form(page.form)
    for form in context.values():
        if isinstance(form, BaseForm):
            translate_form(form)


def _read_aloud(name: str | None, options: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    told = {"description": translated(options["description"])} if options.get("description") else {}
    return translated(name) if name else name, {**options, **told}


def refusal_page(request: HttpRequest, status: int, reason: str) -> HttpResponse:
    from django.contrib.admin import site

    context = {**site.each_context(request), "title": translated(reason)}
    return TemplateResponse(request, "backoffice/refused.html", context, status=status).render()


def chosen_name(request: HttpRequest) -> str:
    """Return the name of the chosen organization, for the head of the sidebar."""
    principal = principal_of(request)
    if principal is None:
        return ""
    return Organization.objects.values_list("name", flat=True).get(pk=principal.organization_id)


def organization_items(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what the picker offers; nothing to those who have nothing to pick from."""
    mine = organizations_of(request.user, Entrance.of(request.session))
    organizations = list(mine.order_by("name")[: SHOWN_IN_PICKER + 1])
    if len(organizations) < 2 and not request.user.is_superuser:
        return []
    items = [
        {"title": organization.name, "link": organization.slug, "icon": "apartment"}
        for organization in organizations[:SHOWN_IN_PICKER]
    ]
    return [
        *items,
        {"title": translated("All organizations"), "link": reverse("admin:choose_organization"), "icon": "search"},
    ]
