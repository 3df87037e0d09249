from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "vocelio.audit"
    label = "audit"
