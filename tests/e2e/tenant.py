# SPDX-License-Identifier: Apache-2.0
"""A tenant: her own configuration and state, and the `donjon` command."""
import json
import os
import subprocess
import time


class Tenant:
    def __init__(self, out, folder):
        self.out, self.folder = out, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.env = dict(os.environ, NO_COLOR="1", HOME=str(folder),
                        XDG_CONFIG_HOME=str(folder / "config"),
                        XDG_STATE_HOME=str(folder / "state"),
                        XDG_DATA_HOME=str(folder / "data"),
                        XDG_CACHE_HOME=str(folder / "cache"))
        self.env.pop("DONJON_HOST", None)

    def argv(self, *args):
        return [str(self.out / "bin/donjon"), *map(str, args)]

    def donjon(self, *args, stdin=b"", timeout=300, **more):
        """Runs it to its end; stdout and stderr are bytes."""
        if isinstance(stdin, bytes):
            more["input"] = stdin
        else:
            more["stdin"] = stdin
        return subprocess.run(self.argv(*args), env=self.env, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              **more)

    def start(self, *args, **more):
        """Runs it in the background with pipes."""
        more = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE, **more}
        return subprocess.Popen(self.argv(*args), env=self.env, **more)

    def policy(self, host):
        """A policy that trusts the software root of that agent."""
        r = self.donjon("platform", "info", "--host", host, "--json")
        assert r.returncode == 0, r.stderr
        root = json.loads(r.stdout)["software_root"]
        path = self.folder / f"policy-{root[:8]}.toml"
        path.write_text('technologies = ["process"]\n'
                        f'software = ["{root}"]\n'
                        '[process]\nmeasurements = ["release"]\n')
        return path


def wait_for(what, seconds=60):
    """The first true result of what(), or a failure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what.__name__}")
