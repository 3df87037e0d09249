"""What programs sign in with."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from vocelio.access.roles import SCOPES
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.users.models import ApiToken
from vocelio.users.services.api_tokens import create_api_token, revoke_api_token
from vocelio.users.tokens import API_TOKEN_PREFIX


class ApiTokenForm(TenantForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What the program may do, as far as your own role allows it.",
    )


@admin.register(ApiToken)
class ApiTokenAdmin(TenantAdmin):
    """API tokens: a token is shown once, when it is made; deleting revokes it."""

    permissions = dict.fromkeys(["view", "add", "delete"], "tokens:manage")
    form = ApiTokenForm
    section = "Organization"
    icon = "key"
    menu_title = "API tokens"  # capitalize() would write "Api tokens"

    list_display = ("name", "user", "ending", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name",)
    fields = ("name", "scopes", "expires_at")

    @admin.display(description="Token")
    def ending(self, token: ApiToken) -> str:
        return f"{API_TOKEN_PREFIX}...{token.hint}"

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> ApiToken:
        token, secret = create_api_token(principal=self.principal(request), **data)
        self.message_user(request, f"Copy the token now, it is not shown again: {secret}", messages.WARNING)
        return token

    def perform_delete(self, request: HttpRequest, obj: ApiToken) -> None:
        revoke_api_token(obj)
