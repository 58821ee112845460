$(call SHIM_RISCV64,sanctum)
