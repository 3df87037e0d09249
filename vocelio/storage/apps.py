from django.apps import AppConfig


class StorageConfig(AppConfig):
    name = "vocelio.storage"
    label = "storage"
    verbose_name = "Files"
