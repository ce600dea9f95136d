"""Authorities and certificates of servers, made by openssl(1) for one test.

    authority = Authority(directory / "ca")
    server = authority.certificate("localhost")                # (certificate file, key file)
    authority.certificate("localhost", days=-1)                # it has expired
    authority.file                                             # the authority's own certificate
"""

import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    def __init__(self, directory, name="Test Authority"):
        directory.mkdir()
        self.directory, self.made = directory, 0
        self.file, self.key = directory / "authority.pem", directory / "authority.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.file)

    def certificate(self, host, days=2):
        self.made += 1
        base = self.directory / f"server{self.made}"
        certificate, key, request, extensions = (base.with_suffix(s) for s in (".pem", ".key", ".csr", ".ext"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={host}",
                "-keyout", key, "-out", request)
        extensions.write_text(f"subjectAltName=DNS:{host}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                "-extfile", extensions, "-out", certificate)
        return str(certificate), str(key)
