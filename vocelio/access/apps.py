from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "vocelio.access"
    label = "access"
