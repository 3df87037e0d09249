from django.apps import AppConfig


class CryptoConfig(AppConfig):
    name = "vocelio.crypto"
    label = "crypto"
