"""Whether calls are traced is decided here, and only if they are is ``nobat.tracing`` loaded."""

from nobat.engine import Gauge
from nobat.tracing_settings import TracingSettings


class CannotTrace(Exception):
    """``[tracing]`` asks for what is not installed; the message is for the operator."""


def traced(gauge: Gauge, settings: TracingSettings) -> Gauge:
    """``gauge`` itself, or what makes spans before it. Raises ``CannotTrace``."""
    if settings.endpoint is None:
        return gauge
    try:
        from nobat.tracing import by_otlp

        return by_otlp(gauge, settings.endpoint, settings.service_name, settings.share)
    except ImportError as error:
        raise CannotTrace(
            f"[tracing] endpoint is set, and {error.name} is not installed: pip install 'nobat[otel]'"
        ) from None
