"""The reference server in the surroundings in which people run theirs: a busy machine, another loop, a proxy."""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reference_server.tls import throwaway

SPEECHWIRE = (str(Path(sys.executable).with_name("speechwire")),)
ON_UVLOOP = (
    sys.executable,
    "-c",
    "import sys, uvloop; from conformance.commands.main import main; uvloop.install(); main(prog_name='speechwire')",
)
"""The command on another event loop than asyncio's own."""

_NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 120s;
    }}
  }}
}}
"""
_HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 120s
  timeout server 120s
  timeout tunnel 120s
frontend speech
  bind 127.0.0.1:{port} ssl crt {folder}/both.pem
  default_backend servers
backend servers
  server one 127.0.0.1:{upstream}
"""
PROXIES = {"nginx": (_NGINX, ("nginx", "-c")), "haproxy": (_HAPROXY, ("haproxy", "-db", "-f"))}


@contextmanager
def reference_server(*options: str, command: tuple[str, ...] = SPEECHWIRE) -> Iterator[int]:
    """Run the server; give its port."""
    process = subprocess.Popen([*command, "serve", "--port", "0", *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline().rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@contextmanager
def behind(name: str, upstream: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Run a proxy that ends TLS in front of a server; give its URL and the authority to trust."""
    form, command = PROXIES[name]
    program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip(f"{name} is not installed: make libraries")
    made = throwaway(folder)
    (folder / "both.pem").write_bytes(made.certificate.read_bytes() + made.key.read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    values = {"folder": folder, "port": port, "upstream": upstream, "certificate": made.certificate, "key": made.key}
    configured = folder / f"{name}.conf"
    configured.write_text(form.format(**values), "utf-8")
    process = subprocess.Popen([program, *command[1:], str(configured)], stderr=subprocess.PIPE, text=True)
    try:
        _await_port(port, process)
        yield f"wss://127.0.0.1:{port}", made.ca
    finally:
        process.terminate()
        process.wait(20)
        if process.stderr is not None:
            process.stderr.close()


def _await_port(port: int, process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < limit, "the proxy takes no connections"
            time.sleep(0.05)
        else:
            return


def _burn(stop: multiprocessing.synchronize.Event) -> None:
    while not stop.is_set():
        sum(range(10_000))


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep all cores busy with something else."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    burners = [context.Process(target=_burn, args=(stop,)) for _ in range(os.cpu_count() or 1)]
    for burner in burners:
        burner.start()
    try:
        yield
    finally:
        stop.set()
        for burner in burners:
            burner.join(20)
