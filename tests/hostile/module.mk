# Hostile hosts against the real shims: host.c, a program for each technology.
# The loader's calls of the software platform go through lies.c.
HOSTILE := tests/hostile
$(call program,$(HOSTILE)/keep/snp/exec,exec,$(HOSTILE)/victim.c $(HOSTILE)/victim_x86_64.c,keep crypto base,-lcrypto -s)
define hostile_host
$(call program,$(HOSTILE)/$1,host,$(HOSTILE)/host.c $(HOSTILE)/lies.c $(HOSTILE)/lies_snp.c $(HOSTILE)/lies_tdx.c,hal soft device measure enclave crypto codec base,-Wl$(comma)--wrap=soft_device_new -Wl$(comma)--wrap=soft_device_endorsements -Wl$(comma)--wrap=soft_sanctum_new -lcrypto -lseccomp -lprotobuf-c)
TAPS += $(O)/$(HOSTILE)/$1
endef
define hostile_images
$(O)/$(HOSTILE)/$1: | $(O)/$(HOSTILE)/keep/$1/exec \
	$(O)/$(HOSTILE)/keep/$1/shim $(O)/$(HOSTILE)/keep/software/monitor
endef
$(foreach t,snp tdx sanctum,$(eval $(call hostile_host,$t)))
$(foreach t,snp tdx,$(eval $(call hostile_images,$t)))
# RISC-V's, where its compiler is.
$(call program,$(HOSTILE)/keep/sanctum/exec,exec-riscv64,$(HOSTILE)/victim.c $(HOSTILE)/victim_riscv64.c $(call START,riscv64),keep crypto base,-lcrypto $(START_LINK))
KEEP_riscv64_tests += $(foreach i,exec shim monitor,$(O)/$(HOSTILE)/keep/sanctum/$i)
$(O)/$(HOSTILE)/keep/tdx/exec: $(O)/$(HOSTILE)/keep/snp/exec
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/$(HOSTILE)/keep/%: $(O)/keep/%
	@mkdir -p $(@D)
	$(Q)cp $< $@
# Loaders for the end-to-end tests: of debug enclaves, on an old processor.
define hostile_loader
$(call program,$(HOSTILE)/$1/donjon-keep,host,src/host/keep_main.c $(HOSTILE)/loader.c $(HOSTILE)/$1_enclave.c,host hal soft device enclave json crypto codec rule base,-Wl$(comma)--wrap=soft_device_new -ljansson -lseccomp -lcrypto -lprotobuf-c)
tests: $(O)/$(HOSTILE)/$1/donjon-keep
endef
$(foreach l,debug old,$(eval $(call hostile_loader,$l)))
