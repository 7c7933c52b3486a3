"""Saves keepapart's batches in SQLite: SECRETS=whsec_... python3 receiver.py 8000 records.db"""
import base64, hmac, json, os, sqlite3, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

KEYS = [base64.b64decode(secret.removeprefix("whsec_")) for secret in os.environ["SECRETS"].split(",")]
DB = sqlite3.connect(sys.argv[2])
DB.execute("CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, value TEXT)")

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        sent = self.headers["webhook-timestamp"]
        signed = f"{self.headers['webhook-id']}.{sent}.".encode() + body
        valid = {"v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in KEYS}
        if abs(time.time() - int(sent)) > 300 or not valid & set(self.headers["webhook-signature"].split()):
            return self.send_error(401)
        message = json.loads(body)
        rows = [(record["recordId"], json.dumps(record["value"])) for record in message["data"]["records"]]
        with DB:
            DB.executemany("DELETE FROM records WHERE id = ?", [row[:1] for row in rows])
            if message["type"] == "batch.save":
                DB.executemany("INSERT INTO records VALUES (?, ?)", rows)
        answer = json.dumps({"outcomes": ["saved" for _ in rows]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
