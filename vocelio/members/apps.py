from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "vocelio.members"
    label = "members"
