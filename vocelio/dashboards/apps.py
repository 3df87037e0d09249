from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    name = "vocelio.dashboards"
    label = "dashboards"
    verbose_name = "Dashboards"
