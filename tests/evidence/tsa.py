"""A time stamp authority for tests/evidence/run: openssl makes its keys and its answers.

  tsa.py DIR

Keeps everything in DIR; `root.pem` is its root, `url` says where it answers, which is until it is
ended.
"""
import http.server
import pathlib
import subprocess
import sys

SETTINGS = """\
[req]
distinguished_name = names
[names]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[signer]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = stamps
[stamps]
serial = serial
digests = sha256
signer_digest = sha256
default_policy = 1.2.3.4.1
accuracy = secs:1
ess_cert_id_alg = sha256
"""
KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config tsa.cnf"

folder = pathlib.Path(sys.argv[1])


def openssl(call):
    subprocess.run(["openssl", *call.split()], cwd=folder, check=True, capture_output=True)


class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        (folder / "query").write_bytes(self.rfile.read(int(self.headers["content-length"])))
        openssl("ts -reply -config tsa.cnf -queryfile query -inkey tsa.key -signer tsa.pem -out reply")
        answer = (folder / "reply").read_bytes()
        self.send_response(200)
        self.send_header("content-type", "application/timestamp-reply")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


(folder / "tsa.cnf").write_text(SETTINGS)
(folder / "serial").write_text("01\n")
openssl(f"req -x509 {KEY} -keyout root.key -out root.pem -days 30 -subj /CN=Root -extensions root")
openssl(f"req {KEY} -keyout tsa.key -out tsa.csr -subj /CN=Stamps")
openssl("x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -out tsa.pem -days 30"
        " -extfile tsa.cnf -extensions signer")
server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
(folder / "url.new").write_text(f"http://127.0.0.1:{server.server_address[1]}/")
(folder / "url.new").rename(folder / "url")
server.serve_forever()
