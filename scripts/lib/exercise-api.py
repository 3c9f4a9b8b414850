"""Sends requests to the API of a portal that are made from its description, and compares the answers with it.

    exercise-api.py SERVER

The portal is a process of its own, is open to all, has a sandbox of its own, and ends with this script. The requests are
those of schemathesis, which must be installed beside the Python that runs this: see schemathesis.toml.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

SEED = 20261130
LIMIT_S = 400
START_LIMIT_S = 30
STOP_LIMIT_S = 20
HERE = Path(__file__).resolve().parent


def free_ports(count):
    """Returns free ports of the loopback address. They are all open at once, so they differ."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def start(server, folder, log):
    """Starts a portal in `folder` with no settings but these. The limits let all requests through."""
    port, edge = free_ports(2)
    shutil.copy(HERE.parent.parent / "Leptos.toml", folder)
    settings = {
        "PATH": os.environ["PATH"],
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "SANDBOX_EDGE_PORT": str(edge),
        "DATABASE_URL": f"sqlite://{folder}/data/portal.db",
        "LOG_FORMAT": "json",
        "DEPLOY_RATE_LIMIT": "1000000",
        "CHECK_RATE_LIMIT": "none",
    }
    portal = subprocess.Popen([server], cwd=folder, env=settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    return portal, f"http://127.0.0.1:{port}"


def wait_until_ready(portal, origin):
    """Waits until the portal answers."""
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until and portal.poll() is None:
        try:
            with urllib.request.urlopen(f"{origin}/readyz", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def stop(portal):
    """Ends this one process."""
    portal.terminate()
    try:
        portal.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        portal.kill()
        portal.wait()


def send_requests(origin, folder):
    """Sends the requests from `folder`, which gets files. Returns what is wrong, or nothing."""
    command = [Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "schemathesis.toml"]
    command += ["run", "--seed", str(SEED), f"{origin}/api/openapi.json"]
    try:
        done = subprocess.run(command, cwd=folder, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"schemathesis took more than {LIMIT_S} seconds"
    return None if done.returncode == 0 else "the API is not as its description says"


def main():
    # so that the portal ends as well
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    server = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as writer:
            portal, origin = start(server, folder, writer)
        try:
            is_ready = wait_until_ready(portal, origin)
            wrong = send_requests(origin, folder) if is_ready else "the portal did not start"
            if portal.poll() is not None:
                wrong = "the portal ended by itself"
        finally:
            stop(portal)
        lines = log.read_text().splitlines()
        errors = [line for line in lines if '"level":"ERROR"' in line]
        if wrong is None and errors:
            wrong = "the portal logged errors"
        if wrong is not None:
            sys.exit("\n".join(errors or lines[-20:]) + f"\n{wrong}")


main()
