from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "vocelio.operations"
    label = "operations"
