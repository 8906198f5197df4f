"""Whom a link trusts: a certificate is always verified, and a file that cannot vouch for one is told before anything starts."""

import ssl
from pathlib import Path

import pytest

from nobat.clock import Clock
from nobat.links import WrongCertificates, make_ami_link, trust
from nobat.settings import PbxSettings, Settings
from tests.support.certificate import made


def one(**changed: object) -> PbxSettings:
    return PbxSettings.model_validate({"name": "pbx1", "secret": "s", **changed})


def test_plain_ami_trusts_nobody_and_tls_verifies_certificate_and_host(tmp_path: Path) -> None:
    assert trust(one()) is None
    file = tmp_path / "ca.pem"
    file.write_bytes(made()[0])
    for settings in (one(tls=True, ca=file), one(tls=True)):
        context = trust(settings)
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_file_that_vouches_for_nobody_is_told_by_its_name(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WrongCertificates, match=r"\[\[pbx\]\] pbx1: ca '.*ca\.pem': "):
        make_ami_link(Settings(pbx=(one(tls=True, ca=file),)), Clock(), 7)
