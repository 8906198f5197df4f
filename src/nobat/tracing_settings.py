"""The ``[tracing]`` table of the settings."""

from pydantic import Field

from nobat.settings_base import Section


class TracingSettings(Section):
    """One trace for each call, by OpenTelemetry: `pip install nobat[otel]`. Without an endpoint nothing of it is even loaded."""

    endpoint: str | None = None
    """Where spans go, by OTLP over HTTP: `http://127.0.0.1:4318/v1/traces`."""
    share: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of the calls that are traced; which ones is decided by their ids, so a restart does not change it."""
    service_name: str = "nobat"
    """`service.name` of the spans."""
