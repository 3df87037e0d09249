from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "sales"
    verbose_name = "Sales"

    def ready(self) -> None:
        from contacts.profile_kinds import ProfileKind, register_profile_kind
        from sales.models import SalesProfile
        from sales.panels import register_panels
        from sales.services.import_deals import register_deals
        from sales.services.profiles import KIND, create_sales_profile

        register_profile_kind(
            ProfileKind(
                slug=KIND,
                label="Sales",
                model=SalesProfile,
                serializer="sales.serializers.profiles.SalesProfileSerializer",
                create=create_sales_profile,
                related=("client", "created_by"),
            )
        )
        register_panels()
        register_deals()
