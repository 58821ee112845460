#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/spec/needs OUT: TAP, a line for each machine that the engine was built
# for: besides `base` it takes memory and string functions from outside, and
# what the compiler wants: executable memory, sorting, and what the processor
# has as glibc found it.
lib=${1:-$(dirname "$0")/../../lib}
few=" calloc free malloc realloc memcmp memcpy memmove memset strchr strcmp
strlen strncmp strstr "
jit=" mmap mprotect munmap qsort __x86_get_cpuid_feature_leaf "
n=0
for machine in host exec-riscv64 exec-ppc64le; do
	n=$((n + 1))
	name="the engine on $machine needs memory and string functions only"
	[ -f "$lib/$machine/libwasm.a" ] || {
		echo "ok $n - $name # SKIP it was not built for it"
		continue
	}
	more=$({
		nm -g "$lib/$machine/libwasm.a"
		nm -g --defined-only "$lib/$machine/libbase.a"
	} 2>/dev/null | awk -v known="$few$jit" '
		BEGIN { split(known, k, /[ \n]+/); for (i in k) have[k[i]] = 1 }
		# What compilers bring themselves.
		/ U (__.*di2|__stack_chk.*|__memcpy_chk|__memset_chk)$/ { next }
		/ U (_GLOBAL_OFFSET_TABLE_|\.TOC\.|_(save|rest)gpr.*)$/ { next }
		NF == 3 { have[$3] = 1 }
		NF == 2 && $1 == "U" { want[$2] = 1 }
		/__asan|__ubsan|__tsan/ { sanitized = 1 }
		END {
			if (sanitized) { print "sanitized"; exit }
			for (w in want) if (!(w in have)) print w
		}')
	case $more in
	"") echo "ok $n - $name" ;;
	sanitized) echo "ok $n - $name # SKIP sanitizers need more" ;;
	*) echo "#" $more; echo "not ok $n - $name" ;;
	esac
done
echo "1..$n"
