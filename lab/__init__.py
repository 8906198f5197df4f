"""The lab: renders configuration, starts and stops Asterisk instances and the service, on this machine and for tests."""
