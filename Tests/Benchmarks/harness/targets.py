"""The proxies that are compared: their configuration and their command lines."""

import dataclasses
import getpass
import json
import os

from . import processes
from .tools import scratch

LITELLM_KEY = "sk-benchmark-only-0123456789abcdef"

# nginx keeps its access log, as the sidecar writes a line a request. It has the whole request in memory before it asks
# the upstream (8 MB buffer), and streams answers.
NGINX = """
daemon off; master_process on; worker_processes {workers}; {user}
pid {run}/nginx.pid; error_log {run}/nginx-error.log warn; worker_rlimit_nofile 20000;
events {{ worker_connections 8192; }}
http {{
  access_log {run}/nginx-access.log; tcp_nodelay on; keepalive_timeout 300s; keepalive_requests 100000000;
  client_max_body_size 64m; client_body_buffer_size 8m;
  client_body_temp_path {run}/nginx-body; proxy_temp_path {run}/nginx-proxy; fastcgi_temp_path {run}/nginx-fastcgi;
  uwsgi_temp_path {run}/nginx-uwsgi; scgi_temp_path {run}/nginx-scgi;
  upstream mock {{ server 127.0.0.1:{mock}; keepalive 2048; keepalive_requests 100000000; keepalive_timeout 300s; }}
  server {{
    listen 127.0.0.1:{proxy} backlog=4096 {reuse};
    location / {{
      proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_request_buffering on; proxy_read_timeout 600s;
    }}
  }}
}}
"""

# Without http-no-delay events of a stream wait 40 ms for the peer's acknowledgement, which would not be a fair setting.
HAPROXY = """
global
  nbthread {workers}
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  option http-keep-alive
  option http-no-delay
  http-reuse always
frontend front
  bind 127.0.0.1:{proxy} backlog 4096
  default_backend back
backend back
  server mock 127.0.0.1:{mock} pool-max-conn 4096
"""


@dataclasses.dataclass(frozen=True)
class Ports:
    """Four ports in a row, all on loopback."""

    mock: int
    proxy: int
    admin: int
    store: int

    @classmethod
    def from_base(cls, base):
        return cls(base, base + 1, base + 2, base + 3)


def merge(base, extra):
    """Merges nested objects; lists and plain values of `extra` replace those of `base`."""
    merged = dict(base)
    for key, value in extra.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if both else value
    return merged


def write(name, content):
    path = scratch(name)
    with open(path, "w") as file:
        file.write(content)
    return path


def nginx(ports, options, workers):
    path = write(
        "nginx.conf",
        NGINX.format(
            workers=workers,
            # Started by root, nginx would change to a user that cannot enter the scratch folder.
            user=f"user {getpass.getuser()};" if os.geteuid() == 0 else "",
            run=scratch(),
            mock=ports.mock,
            proxy=ports.proxy,
            reuse="reuseport" if workers > 1 else "",
        ),
    )
    return ["nginx", "-c", path], {}


def haproxy(ports, options, workers):
    path = write("haproxy.cfg", HAPROXY.format(workers=workers, proxy=ports.proxy, mock=ports.mock))
    return ["haproxy", "-f", path], {}


def sidecar(ports, options, workers):
    config = {
        "version": 1,
        "listen": {
            "gateway": {"address": f"127.0.0.1:{ports.proxy}", "upstream": "litellm"},
            "admin": {"address": f"127.0.0.1:{ports.admin}"},
        },
        "upstreams": {"litellm": {"kind": "litellm", "url": f"http://127.0.0.1:{ports.mock}"}},
    }
    if options.config_extra:
        with open(options.config_extra) as file:
            config = merge(config, json.load(file))
    # Named by its port: a sidecar follows changes of its file, those of another run too.
    path = write(f"sidecar-{ports.proxy}.json", json.dumps(config, indent=2))
    return [os.path.abspath(options.sidecar), "serve", "--config", path], {}


def litellm(ports, options, workers):
    def model(name):
        parameters = {"model": "openai/" + name, "api_base": f"http://127.0.0.1:{ports.mock}/v1", "api_key": "sk-mock"}
        return {"model_name": name, "litellm_params": parameters}

    config = {
        "model_list": [model(name) for name in ("mock", "paced-5", "paced-100")],
        "general_settings": {"disable_spend_logs": True},
        "litellm_settings": {"num_retries": 0, "telemetry": False, "set_verbose": False},
    }
    path = write("litellm.yaml", json.dumps(config))  # JSON is YAML
    environment = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_LOG": "ERROR",
        "LITELLM_MASTER_KEY": LITELLM_KEY,
        "DISABLE_ADMIN_UI": "True",
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "*",
    }
    command = [options.litellm, "--config", path, "--host", "127.0.0.1", "--port", str(ports.proxy)]
    return command + ["--num_workers", str(workers)], environment


COMMANDS = {"nginx": nginx, "haproxy": haproxy, "sidecar": sidecar, "litellm": litellm}


class Running:
    """A started target. `direct` is the mock itself, without a proxy."""

    def __init__(self, name, ports, options, mock, workers=1):
        self.port = ports.mock if name == "direct" else ports.proxy
        self.process = None
        self.watched = mock
        if name == "direct":
            return
        command, environment = COMMANDS[name](ports, options, workers)
        self.log = scratch(name + ".log")
        self.process = self.watched = processes.start(command, self.log, options.proxy_cpus, environment)

    def wait(self, seconds=120):
        """Waits until it listens; ends it when it does not."""
        if self.process is None:
            return
        try:
            processes.wait_listening(self.port, self.process, self.log, seconds)
        except processes.TargetError:
            self.stop()
            raise

    @property
    def pids(self):
        return processes.tree(self.watched.pid)

    def require_alive(self):
        """Raises when its process has ended."""
        if self.watched.poll() is not None:
            raise processes.TargetError(f"ended with status {self.watched.returncode}: {processes.tail(self.log)}")

    def stop(self):
        processes.stop(self.process)


def start_mock(ports, options):
    """Starts the mock upstream and waits for it."""
    processes.require_free(ports.mock, ports.proxy, ports.admin)
    log = scratch("mock.log")
    process = processes.start([scratch("mock"), str(ports.mock)], log, options.load_cpus)
    processes.wait_listening(ports.mock, process, log, 5)
    return process
