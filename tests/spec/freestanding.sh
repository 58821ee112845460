#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/spec/freestanding: TAP, a line for each machine: the interpreter is
# compiled as for a place without an operating system.  Run from the tree.
n=0
for cc in gcc riscv64-linux-gnu-gcc powerpc64le-linux-gnu-gcc; do
	n=$((n + 1))
	name="$cc compiles the interpreter freestanding"
	command -v $cc >/dev/null || {
		echo "ok $n - $name # SKIP there is no $cc"
		continue
	}
	bad=
	seen=0
	for f in src/wasm/*.c src/wasm/compile/*.c src/wasm/interp/*.c; do
		seen=$((seen + 1))
		$cc -std=gnu11 -ffreestanding -fsyntax-only -Wall -Werror \
			-Wno-attributes -I src "$f" || bad="$bad $f"
	done
	if [ -z "$bad" ] && [ $seen -gt 20 ]; then
		echo "ok $n - $name"
	else
		echo "#$bad, of $seen files"
		echo "not ok $n - $name"
	fi
done
echo "1..$n"
