"""Bases of the admin pages: TenantAdmin for an organization's rows, PlatformAdmin for everybody's."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from vocelio.access.principal import Principal
from vocelio.backoffice.chosen import principal_of
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.pagination import BoundedPaginator
from vocelio.errors import VocelioError
from vocelio.users.models import User


class TenantAdmin(ModelAdmin):  # type: ignore[misc]
    """Pages of a tenant table in the chosen organization.

    `permissions` maps view, add, change, delete and the names of actions to permissions of roles.py; what is
    not listed nobody may do. Writes go to `perform_create`, `perform_update` and `perform_delete`, which call
    the services of the API, so they are checked and audited the same way.
    """

    permissions: ClassVar[dict[str, str]] = {}
    # Whether the platform's operators alone may do what the permissions say.
    for_operators: ClassVar[bool] = False
    # Where the sidebar shows it.
    section: ClassVar[str]
    icon: ClassVar[str]
    # What the sidebar calls it; the table's name otherwise.
    menu_title: ClassVar[str] = ""

    form = TenantForm
    ordering: tuple[str, ...] = ("-created_at", "-id")
    # Other orders would sort the whole table.
    sortable_by = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    list_disable_select_all = True
    list_fullwidth = True
    compressed_fields = True

    def principal(self, request: HttpRequest) -> Principal:
        """Return who acts; raise PermissionDenied while no organization is chosen."""
        principal = principal_of(request)
        if principal is None:
            raise PermissionDenied
        return principal

    def may(self, request: HttpRequest, action: str) -> bool:
        """Say whether the person's role allows the action."""
        if self.for_operators and not request.user.is_superuser:
            return False
        permission, principal = self.permissions.get(action), principal_of(request)
        return permission is not None and principal is not None and principal.may(permission)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "delete")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.visible_to(self.principal(request)) if hasattr(rows, "visible_to") else rows  # type: ignore[no-any-return]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page = super().get_changelist_instance(request)
        # Unfold tells a total beside the title, which nobody counted.
        page.full_result_count = page.result_count
        return page

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        """Offer the organization's members wherever a person is asked for."""
        if db_field.remote_field.model is User:
            kwargs["queryset"] = members(self.principal(request))
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        # A class made for this request alone.
        form.refusal = getattr(request, "_refusal", None)
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form again with the reason when the service refuses."""
        return shown_again(request, lambda: super(TenantAdmin, self).changeform_view(request, *args, **kwargs))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.__dict__.update(self.perform_create(request, form.cleaned_data).__dict__)
            return
        # Django takes an array or JSON that is merely spelled otherwise for changed.
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes := {name: value for name, value in values.items() if value != getattr(obj, name)}:
            self.perform_update(request, obj, changes)

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Any:
        """Return the new row; override where `permissions` has add."""
        raise PermissionDenied

    def perform_update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        """Store what was changed; override where `permissions` has change."""
        raise PermissionDenied

    def perform_delete(self, request: HttpRequest, obj: Any) -> None:
        """Delete the row; override where `permissions` has delete."""
        raise PermissionDenied

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.perform_delete(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for obj in queryset:
            self.perform_delete(request, obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """List the rows themselves; what hangs on them is the service's to keep or remove."""
        rows = [str(obj) for obj in objs]
        return rows, {str(self.opts.verbose_name_plural): len(rows)}, set(), []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Nothing: the service wrote the audit log."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Nothing: the service wrote the audit log."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Nothing: the service wrote the audit log."""

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse: the history is the audit log."""
        raise PermissionDenied


class PlatformAdmin(ModelAdmin):  # type: ignore[misc]
    """Pages of tables that belong to no organization, for the platform's operators alone.

    Writes go to Django's log, which the operators read; organizations have their own audit log.
    """

    section: ClassVar[str] = "Platform"
    icon: ClassVar[str]
    menu_title: ClassVar[str] = ""

    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True

    def _is_operator(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_operator(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_operator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_operator(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_operator(request)


def members(principal: Principal) -> models.QuerySet[User]:
    """Return the people of the organization."""
    return User.objects.filter(
        memberships__organization_id=principal.organization_id, memberships__is_active=True
    ).order_by("email")


def shown_again(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """Return the view's response; when a service refuses, undo its work and show the form with the reason."""
    try:
        with transaction.atomic():
            return view()
    except VocelioError as error:
        request.__dict__["_refusal"] = error
        return view()
