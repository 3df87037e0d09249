from contacts.serializers.import_options import ImportOptionsSerializer, StartClientImportSerializer
from sales.services.deal_rows import DEALS


class DealImportOptionsSerializer(ImportOptionsSerializer):
    """Which column is which of a file of deals, and what rows may do."""

    fields_known = DEALS


class StartDealImportSerializer(StartClientImportSerializer):
    """How to import a draft of deals."""

    fields_known = DEALS
