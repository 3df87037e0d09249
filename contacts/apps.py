from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = "Contacts"

    def ready(self) -> None:
        from contacts import receivers  # noqa: F401 - connects them
        from contacts.models import ContactExport, ContactImport
        from contacts.services.client_merges import register_rules
        from contacts.services.erasures import register_erasers
        from contacts.services.timeline import register_sources
        from vocelio.health.figures import platform_figures, rows_estimated, rows_inserted, today
        from vocelio.health.metrics import register_gauge
        from vocelio.organizations.retention import Kept, register
        from vocelio.storage.orphans import named_by, register_files

        def imported_today() -> float:
            figures = platform_figures("import_jobs", "status", summed="imported_contacts", since=today())
            return sum(imported for _, imported, _ in figures.values())

        register_gauge(
            "vocelio_total_contacts", "Contacts of all organizations, as the planner knows.", rows_estimated("contacts")
        )
        register_files("imports", named_by(ContactImport))
        register_files("exports", named_by(ContactExport))
        register_gauge("vocelio_contacts_created", "Contacts ever made.", rows_inserted("contacts"), only_rises=True)
        register_gauge("vocelio_contacts_imported_today", "Contacts imported since midnight UTC.", imported_today)
        register(
            Kept("trash", "Contacts, clients and deals in the trash", shortest=7, longest=90),
            Kept("uploads", "Imported files, with their rejected rows", shortest=1, longest=365),
            Kept("exports", "Exported files", shortest=1, longest=90),
        )
        register_sources()
        register_erasers()
        register_rules()
