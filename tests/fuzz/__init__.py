"""Requests made up from the OpenAPI document, valid and not, sent by everybody to everything: ``python -m tests.fuzz``."""
