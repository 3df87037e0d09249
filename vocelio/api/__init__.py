"""REST conventions: TenantViewSet, envelope, pagination, errors, throttles, idempotency. Open viewsets.py first."""
