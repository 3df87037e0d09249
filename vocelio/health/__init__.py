"""GET /health and GET /metrics: what works, what is degraded, in figures."""
