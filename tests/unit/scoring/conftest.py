"""The opened node of the tests about alerts, to be scored."""

from tests.unit.alerting.conftest import alerted, house

__all__ = ["alerted", "house"]
