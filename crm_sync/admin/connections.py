"""Connect a CRM, pair its fields with ours, start and watch its syncs, see what its quota has left."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from crm_sync.browsers import keep_browser
from crm_sync.models import CrmConflict, CrmCredential, CrmIntegration, CrmSyncRun
from crm_sync.models.integrations import provider_choices, providers
from crm_sync.providers.values import Kind
from crm_sync.services import connections, oauth, runs
from crm_sync.services.fields import CUSTOM
from crm_sync.services.kinds import record_kind
from crm_sync.services.limits import used
from crm_sync.services.merge import Direction, Rule
from crm_sync.services.rules import SETTINGS, kinds_of, mapping_of, rules_of
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.jobs.services import promise_task
from vocelio.languages.translate import translated

# Blank pairs a person may fill in one go.
SPARE_ROWS = 3


def text(label: str, *, required: bool = False, **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=4000, widget=UnfoldAdminTextInputWidget(attrs=attrs)
    )


class ConnectForm(forms.Form):
    """The way to a CRM: by a pasted key, or through the vendor's consent page."""

    crm_type = forms.ChoiceField(label="CRM", choices=provider_choices, widget=UnfoldAdminSelectWidget)
    name = text("Name", required=True, placeholder="Production, Sandbox, Europe ...")
    api_key = forms.CharField(
        label="Key",
        required=False,
        max_length=4000,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="A HubSpot service key or a Pipedrive API token. Leave it empty to sign in at the vendor's.",
    )
    client_id = text("Client id of your app", autocomplete="off")
    client_secret = forms.CharField(
        label="Client secret of your app",
        required=False,
        max_length=500,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="Only where this installation has no app of its own at the vendor's.",
    )
    endpoint_url = text("Address", placeholder="Only if it is not the vendor's usual one")


class SettingsForm(forms.Form):
    """When and how a connection syncs."""

    name = text("Name", required=True)
    auto_sync = forms.BooleanField(label="Sync automatically", required=False, widget=UnfoldBooleanSwitchWidget)
    sync_frequency = forms.IntegerField(
        label="Every ... minutes", min_value=5, max_value=10080, widget=UnfoldAdminIntegerFieldWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (allowed, default) in SETTINGS.items():
            label = TITLES[name]
            field: forms.Field
            if isinstance(default, bool):
                field = forms.BooleanField(label=label, required=False, widget=UnfoldBooleanSwitchWidget)
            elif isinstance(default, int):
                field = forms.IntegerField(
                    label=label, min_value=allowed[0], max_value=allowed[1], widget=UnfoldAdminIntegerFieldWidget
                )
            else:
                field = forms.ChoiceField(
                    label=label, choices=[(value, WORDS.get(value, value)) for value in allowed],
                    widget=UnfoldAdminSelectWidget,
                )  # fmt: skip
            self.fields[name] = field

    def settings(self) -> dict[str, Any]:
        """Return the values of syncSettings."""
        return {name: self.cleaned_data[name] for name in SETTINGS}


TITLES = {
    "companies": "Sync companies too, as clients",
    "syncDirection": "Direction",
    "createLocal": "Create here what exists in the CRM alone",
    "createRemote": "Create in the CRM what exists here alone",
    "remoteDeletes": "A record deleted in the CRM",
    "localDeletes": "A record deleted here",
    "conflict": "A field changed on both sides",
    "maxDeletes": "Stop and ask beyond ... % deletions",
    "maxChanges": "Stop and ask beyond ... % changes",
    "reconcileHours": "Compare ids every ... hours",
}
WORDS = {
    "bidirectional": "Both ways",
    "pull": "From the CRM only",
    "push": "To the CRM only",
    "trash": "goes to the trash here",
    "keep": "stays where it is",
    "delete": "is deleted in the CRM",
    "newest": "takes the newer value",
    "local": "takes our value",
    "remote": "takes the CRM's value",
    "union": "takes both (lists)",
    "manual": "waits in the conflict inbox",
}


# As a pair of fields has it, and a record of its own the settings' words.
DIRECTION_WORDS = {**WORDS, "both": "Both ways"}


def words(value: str, known: dict[str, str] = WORDS) -> str:
    """Return what a value is called in the viewer's language."""
    return translated(known.get(value, value))


@admin.register(CrmIntegration)
class CrmIntegrationAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "add", "change", "delete", "sync"], "crm:manage")
    section = "CRM"
    icon = "sync_alt"
    menu_title = "Connections"

    list_display = (
        "name",
        "crm_type",
        "shown_status",
        "total_contacts",
        "synced_contacts",
        "failed_contacts",
        "auto_sync",
        "last_sync_at",
    )
    list_filter = ("crm_type", "status")
    search_fields = ("name",)

    @display(
        description="Status", label={"Connected": "success", "Disconnected": "warning", "Sign-in expired": "danger"}
    )  # type: ignore[untyped-decorator]
    def shown_status(self, integration: CrmIntegration) -> str:
        return integration.get_status_display()

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path(f"<uuid:pk>/{name}/", site.admin_view(view), name=f"crm_sync_crmintegration_{name}")
            for name, view in (("act", self.act), ("mapping", self.mapping))
        ] + list(super().get_urls())

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Connect a CRM: store the key and have it checked, or send the person to the vendor's consent page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ConnectForm(request.POST or None)
        chosen = request.POST.get("crm_type", "")
        options = self._options(request)
        if request.method == "POST" and form.is_valid():
            try:
                return self._connect(request, form.cleaned_data, options)
            except VocelioError as error:
                add_errors(form, error)
        context = {
            **self.admin_site.each_context(request),
            "title": "Connect a CRM",
            "form": form,
            "opts": self.opts,
            "providers": providers().values(),
            "chosen": chosen,
            "answers": options,
            "redirect_uri": oauth.redirect_uri(),
        }
        return TemplateResponse(request, "crm/connect.html", context)

    def _options(self, request: HttpRequest) -> dict[str, str]:
        provider = providers().get(request.POST.get("crm_type", ""))
        if provider is None:
            return {}
        answers = {each.name: request.POST.get(f"{provider.slug}-{each.name}", "") for each in provider.settings}
        return {name: value for name, value in answers.items() if value}

    def _connect(self, request: HttpRequest, data: dict[str, Any], options: dict[str, str]) -> HttpResponse:
        common = {name: data[name] for name in ("crm_type", "name", "endpoint_url")} | {"options": options}
        if data["api_key"]:
            made = connections.create_connection(**common, api_key=data["api_key"])
            messages.success(request, "The connection is being checked; its fields will be here in a moment.")
            return redirect("admin:crm_sync_crmintegration_change", made.pk)
        departure = oauth.start_consent(
            **common, client_id=data["client_id"], client_secret=data["client_secret"], back_to="admin"
        )
        response = HttpResponseRedirect(departure.url)
        keep_browser(response, departure.browser_secret)
        return response

    def change_view(
        self, request: HttpRequest, object_id: Any, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a connection: how it stands, its quota, its last runs, its settings and the pairing of fields."""
        integration = self.get_object(request, object_id)
        if integration is None:
            return redirect("admin:crm_sync_crmintegration_changelist")
        if not self.has_change_permission(request, integration):
            raise PermissionDenied
        form = SettingsForm(request.POST or None, initial=self._initial(integration))
        if request.method == "POST" and form.is_valid():
            try:
                connections.update_connection(
                    integration=integration,
                    name=form.cleaned_data["name"],
                    auto_sync=form.cleaned_data["auto_sync"],
                    sync_frequency=form.cleaned_data["sync_frequency"],
                    sync_settings=form.settings(),
                )
            except VocelioError as error:
                add_errors(form, error)
            else:
                messages.success(request, "Settings saved.")
                return redirect("admin:crm_sync_crmintegration_change", integration.pk)
        return TemplateResponse(request, "crm/connection.html", self._context(request, integration, form))

    def _initial(self, integration: CrmIntegration) -> dict[str, Any]:
        values = {name: integration.sync_settings.get(name, default) for name, (_, default) in SETTINGS.items()}
        return values | {
            "name": integration.name,
            "auto_sync": integration.auto_sync,
            "sync_frequency": integration.sync_frequency,
        }

    def _context(self, request: HttpRequest, integration: CrmIntegration, form: forms.Form) -> dict[str, Any]:
        credential = CrmCredential.objects.filter(integration=integration).first()
        newest = CrmSyncRun.objects.filter(integration=integration).select_related("created_by")
        return {
            **self.admin_site.each_context(request),
            "title": integration.name,
            "opts": self.opts,
            "original": integration,
            "provider": integration.provider,
            "credential": credential,
            "webhook": connections.webhook_address(integration) if integration.provider.takes_webhooks else "",
            "form": form,
            "gauges": gauges(integration),
            "runs": newest.order_by("-created_at", "-id")[:8],
            "active": runs.active_run(integration.pk),
            "conflicts": CrmConflict.objects.open().filter(integration=integration).count(),
            "kinds": [{"kind": kind, "pairs": self._pairs(integration, kind)} for kind in kinds_of(integration)],
        }

    def _pairs(self, integration: CrmIntegration, kind: Kind) -> list[dict[str, Any]]:
        rows = []
        for local, value in mapping_of(integration, kind).items():
            wanted = value if isinstance(value, dict) else {"field": value}
            rows.append({"local": local, **wanted})
        # JSON keeps no order.
        order = {name: place for place, name in enumerate(record_kind(kind).fields.plain)}
        rows.sort(key=lambda row: order.get(row["local"], len(order)))
        fields = {field["name"]: field for field in integration.remote_fields.get(kind, [])}
        directions = {rule.local: rule.direction.value for rule in rules_of(integration, kind)}
        for row in rows:
            row["direction"] = directions.get(row["local"], Direction.PULL.value)
            field = fields.get(row["field"])
            row["label"] = field["label"] if field else ""
            row["type"] = field["type"] if field else ""
            row["samples"] = [
                sample[row["field"]] for sample in integration.samples.get(kind, []) if sample.get(row["field"])
            ][:3]
        return rows

    def mapping(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Pair fields side by side, with what the CRM holds in them."""
        integration = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, integration):
            raise PermissionDenied
        chosen = request.GET.get("kind", Kind.CONTACTS)
        kind = record_kind(chosen if chosen in integration.provider.types else Kind.CONTACTS)
        problem = ""
        if request.method == "POST":
            try:
                wanted = self._posted_pairs(request)
                removed = {name: None for name in mapping_of(integration, kind.kind) if name not in wanted}
                pairs: dict[str, Any] = {kind.mappings: removed | wanted}
                connections.update_connection(integration=integration, **pairs)
            except VocelioError as error:
                problem = error.message
            else:
                messages.success(request, "Pairs saved; the next sync compares them.")
                return redirect("admin:crm_sync_crmintegration_change", integration.pk)
        fields = integration.remote_fields.get(kind.kind, [])
        context = {
            **self.admin_site.each_context(request),
            "title": f"Fields of {kind.kind} of {integration.name}",
            "opts": self.opts,
            "original": integration,
            "problem": problem,
            "pairs": [*self._pairs(integration, kind.kind), *({} for _ in range(SPARE_ROWS))],
            "remote": sorted(fields, key=lambda field: str(field["label"]).lower()),
            "local": kind.fields.plain,
            "custom": CUSTOM,
            "directions": [(each.value, words(each.value, DIRECTION_WORDS)) for each in Direction],
            "rules": [(each.value, words(each.value)) for each in Rule],
        }
        return TemplateResponse(request, "crm/mapping.html", context)

    def _posted_pairs(self, request: HttpRequest) -> dict[str, Any]:
        columns = [request.POST.getlist(name) for name in ("local", "remote", "direction", "conflict", "blanks")]
        wanted: dict[str, Any] = {}
        for local, remote, direction, conflict, blanks in zip(*columns, strict=False):
            if local.strip() and remote:
                pair: dict[str, str] = {"field": remote, "direction": direction or Direction.BOTH}
                if conflict:
                    pair["conflict"] = conflict
                if blanks == "win":
                    pair["blanks"] = blanks
                wanted[local.strip()] = pair
        return wanted

    def act(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Start, stop or check, as the button pressed says."""
        integration = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method != "POST" or not self.may(request, "sync"):
            raise PermissionDenied
        try:
            return self._act(request, integration, request.POST.get("act", ""))
        except VocelioError as error:
            messages.error(request, error.message)
        return redirect("admin:crm_sync_crmintegration_change", integration.pk)

    def _act(self, request: HttpRequest, integration: CrmIntegration, act: str) -> HttpResponse:
        kinds: dict[str, dict[str, Any]] = {
            "sync": {},
            "full": {"full_sync": True},
            "dry": {"dry_run": True},
            "confirm": {"confirm_mass_change": True},
        }
        if act in kinds:
            run = runs.start_sync(integration=integration, **kinds[act])
            return redirect("admin:crm_sync_crmsyncrun_change", run.pk)
        if act == "cancel":
            runs.cancel_sync(integration=integration)
            messages.success(request, "The sync stops after the records in hand.")
        elif act == "check":
            promise_task(connections.CHECK_TASK, organization_id=integration.organization_id, row_id=integration.pk)
            messages.success(request, "The connection is being checked; look again in a moment.")
        elif act == "connect":
            departure = oauth.start_consent(integration=integration, back_to="admin")
            response = HttpResponseRedirect(departure.url)
            keep_browser(response, departure.browser_secret)
            return response
        return redirect("admin:crm_sync_crmintegration_change", integration.pk)

    def perform_delete(self, request: HttpRequest, obj: CrmIntegration) -> None:
        connections.delete_connection(integration=obj)


def gauges(integration: CrmIntegration) -> list[dict[str, Any]]:
    """Return the meters of the account's quota."""
    found = []
    for quota in connections.quotas_of(integration):
        spent = used(quota)
        limit = quota.vendor_limit or quota.amount
        if quota.vendor_remaining is not None and quota.vendor_limit:
            spent = max(spent, quota.vendor_limit - quota.vendor_remaining)
        found.append({"quota": quota, "used": spent, "limit": limit, "percent": min(100, spent * 100 // max(1, limit))})
    return found


def add_errors(form: forms.Form, error: VocelioError) -> None:
    """Show what a service refused beside its field."""
    names = {"crmType": "crm_type", "apiKey": "api_key", "clientId": "client_id", "endpointUrl": "endpoint_url"}
    for problem in error.details.get("errors") or [{"field": error.details.get("field", ""), "message": error.message}]:
        name = str(problem["field"]).removeprefix("syncSettings.")
        name = names.get(name, name)
        form.add_error(name if name in form.fields else None, problem["message"])
