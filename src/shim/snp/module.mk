$(call SHIM,snp,3,-Wl$(comma)--defsym=shim_secrets=snp_secrets_page-0xffffffff80000000 -Wl$(comma)--defsym=shim_cpuid=snp_cpuid_page-0xffffffff80000000 -Wl$(comma)--defsym=shim_reset=0)
# What needs no processor of that kind.
$(call library,shim_snp,src/shim/snp/cpuid.c,host)
$(call unit,shim/snp,shim_snp base)
