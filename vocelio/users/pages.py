"""The plain pages that links in mails lead to, for installations without a frontend of their own."""

from django.urls import path
from django.views.generic import TemplateView

TEMPLATE = "account/set_password.html"
PASSWORD_RESET = {
    "title": "Set a new password",
    "text": "It ends all sessions that are signed in now.",
    "autocomplete": "new-password",
    "endpoint": "/v1/auth/password-reset/confirm",
    "success": "The password is set; sign in with it.",
}
ACCEPT_INVITATION = {
    "title": "Join",
    "text": "Choose a password, or enter the one you already have here.",
    "asks_name": True,
    "autocomplete": "current-password",
    "endpoint": "/v1/auth/invitations/accept",
    "success": "You have joined; sign in with this password.",
}

urlpatterns = [
    path("password-reset", TemplateView.as_view(template_name=TEMPLATE, extra_context=PASSWORD_RESET)),
    path("accept-invitation", TemplateView.as_view(template_name=TEMPLATE, extra_context=ACCEPT_INVITATION)),
]
