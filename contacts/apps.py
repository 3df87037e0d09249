from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = "Contacts"

    def ready(self) -> None:
        from vocelio.health.metrics import register_gauge, rows_estimated

        register_gauge(
            "vocelio_total_contacts", "Contacts of all organizations, as the planner knows.", rows_estimated("contacts")
        )
