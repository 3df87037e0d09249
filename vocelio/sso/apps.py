from django.apps import AppConfig


class SsoConfig(AppConfig):
    name = "vocelio.sso"
    label = "sso"

    def ready(self) -> None:
        from vocelio.operations.doctor import EXAMINATIONS
        from vocelio.sso.examinations import single_sign_on

        EXAMINATIONS.append(single_sign_on)
