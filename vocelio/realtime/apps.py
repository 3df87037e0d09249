from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "vocelio.realtime"
    label = "realtime"
