"""The schedule's door to the services of users."""

from celery import shared_task

from vocelio.users.services import passwords, purges


@shared_task
def send_password_resets() -> int:
    return passwords.send_password_resets()


@shared_task
def purge_sign_ins() -> int:
    return purges.purge_sign_ins()
