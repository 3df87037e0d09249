from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "vocelio.users"
    label = "users"
