# Warnings, the same for every toolchain.  CI builds with -Werror (WERROR=).
WERROR ?= -Werror
WARN := -Wall -Wextra -Wshadow -Wconversion -Wundef -Wvla -Walloca \
	-Wwrite-strings -Wcast-qual -Wpointer-arith -Wformat=2 \
	-Wimplicit-fallthrough -Wnull-dereference $(WERROR)
WARN_C := -Wstrict-prototypes -Wmissing-prototypes
WARN_GCC := -Wlogical-op -Wduplicated-cond -Wduplicated-branches \
	-Wstack-usage=8192
