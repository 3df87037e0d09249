from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "vocelio.organizations"
    label = "organizations"
