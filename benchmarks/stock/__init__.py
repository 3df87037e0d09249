"""What a DRF tutorial has over the same table: ModelViewSet, ModelSerializer, COUNT(*). For comparison only."""
