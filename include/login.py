"""Makes sure that the Airflow UI has an admin with a password nobody else knows, and says the login."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path


def main() -> None:
    path = Path(os.environ["AIRFLOW_HOME"]) / "simple_auth_manager_passwords.json.generated"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps({"admin": secrets.token_urlsafe(12)}), encoding="utf-8")
    password = json.loads(path.read_text(encoding="utf-8"))["admin"]
    address = f"http://{os.environ['AIRFLOW__API__HOST']}:{os.environ['AIRFLOW__API__PORT']}"
    print(f"Open {address}   user admin   password {password}   (Ctrl-C stops everything)", flush=True)


if __name__ == "__main__":
    main()
