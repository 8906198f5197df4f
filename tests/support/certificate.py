"""A certificate of its own for a PBX of the tests, made when it is wanted and gone with the PBX's folder."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab.asterisk import Instance
from nobat.clock import Clock


def add_certificate(instance: Instance) -> None:
    """Put certificate and key where the profiles of encrypted phones and AMI look for them."""
    certificate, key = made()
    folder = instance.directory / "etc" / "keys"
    folder.mkdir()
    (folder / "asterisk.pem").write_bytes(certificate)
    (folder / "asterisk.key").write_bytes(key)
    like = (instance.directory / "etc" / "pjsip.conf").stat()
    for path in (folder, *folder.iterdir()):
        os.chown(path, like.st_uid, like.st_gid)
        path.chmod(0o750 if path.is_dir() else 0o640)


def made() -> tuple[bytes, bytes]:
    """A certificate that vouches for itself, for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.fromtimestamp(Clock().now(), UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return (
        certificate.public_bytes(encoding),
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain),
    )
