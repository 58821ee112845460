# SPDX-License-Identifier: Apache-2.0
"""wasmtime_run.py guard|checks run|compile MODULE [ARGS...]: a module under
wasmtime (its PyPI package), for bench/wasm.py.

`checks` leaves no unmapped pages around memories, so that each access is
compared with their length, as in a Keep.  DIR= is the program's root folder,
GUEST_ENV= its environment.  The last line on standard error: seconds of
processor time since the package was there, and the size of the code.
"""
import os
import sys
import time

import wasmtime
from wasmtime import _bindings as c


def configuration(checks):
    config = wasmtime.Config()
    config.wasm_exceptions = True
    if checks:
        for name in ("guard_size", "reservation"):
            getattr(c, f"wasmtime_config_memory_{name}_set")(config.ptr(), 0)
    return config


def wasi(argv):
    config = wasmtime.WasiConfig()
    config.argv = argv
    config.env = [pair.split("=", 1)
                  for pair in os.environ.get("GUEST_ENV", "").split()]
    config.inherit_stdin()
    config.inherit_stdout()
    if os.environ.get("DIR"):
        config.preopen_dir(os.environ["DIR"], "/")
    return config


def run(engine, module, argv):
    store = wasmtime.Store(engine)
    store.set_wasi(wasi(argv))
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    try:
        instance = linker.instantiate(store, module)
        instance.exports(store)["_start"](store)
    except wasmtime.ExitTrap as e:
        return e.code
    return 0


def main():
    memory, what, path = sys.argv[1:4]
    start = time.process_time()
    engine = wasmtime.Engine(configuration(memory == "checks"))
    module = wasmtime.Module.from_file(engine, path)
    took, status, size = time.process_time() - start, 0, 0
    if what == "compile":
        size = len(module.serialize())
    else:
        status = run(engine, module, [path, *sys.argv[4:]])
        took = time.process_time() - start
    sys.stdout.flush()
    print(took, size, file=sys.stderr, flush=True)
    os._exit(status)


main()
