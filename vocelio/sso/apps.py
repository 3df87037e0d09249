from django.apps import AppConfig


class SsoConfig(AppConfig):
    name = "vocelio.sso"
    label = "sso"
