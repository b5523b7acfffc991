"""A time stamp authority for tests/evidence/run: openssl makes its keys and its answers.

  tsa.py DIR

Keeps everything in DIR; `root.pem` is its root, `url` says where it answers, which is until it is
ended.
"""
import http.server
import pathlib
import shutil
import subprocess
import sys

SETTINGS = pathlib.Path(__file__).resolve().parents[2] / "crates/sim/src/tsa.cnf"
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


shutil.copy(SETTINGS, folder / "tsa.cnf")
(folder / "serial").write_text("01\n")
openssl(f"req -x509 {KEY} -keyout root.key -out root.pem -days 30 -subj /CN=Root -extensions root")
openssl(f"req {KEY} -keyout tsa.key -out tsa.csr -subj /CN=Stamps")
openssl("x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -out tsa.pem -days 30"
        " -extfile tsa.cnf -extensions signer")
server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
(folder / "url.new").write_text(f"http://127.0.0.1:{server.server_address[1]}/")
(folder / "url.new").rename(folder / "url")
server.serve_forever()
