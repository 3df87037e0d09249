from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "vocelio.backoffice"
    label = "backoffice"
