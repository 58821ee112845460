$(call SHIM,tdx,4,-Wl$(comma)--defsym=shim_secrets=0 -Wl$(comma)--defsym=shim_cpuid=0 -Wl$(comma)--defsym=shim_reset=reset_page-0xffffffff80000000)
# What needs no processor of that kind.
$(call library,shim_tdx,src/shim/tdx/judge.c,host)
$(call unit,shim/tdx,shim_tdx base)
