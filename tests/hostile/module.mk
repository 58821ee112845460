# Hostile hosts against the real shims: host.c, a program for each technology.
# The loader's calls of the software platform go through lies.c.
HOSTILE := tests/hostile
$(call program,$(HOSTILE)/keep/snp/exec,exec,$(HOSTILE)/victim.c,keep crypto base,-lcrypto -s)
define hostile_host
$(call program,$(HOSTILE)/$1,host,$(HOSTILE)/host.c $(HOSTILE)/lies.c $(HOSTILE)/lies_snp.c $(HOSTILE)/lies_tdx.c,hal soft device measure enclave crypto codec base,-Wl$(comma)--wrap=soft_device_new -Wl$(comma)--wrap=soft_device_endorsements -lcrypto -lseccomp -lprotobuf-c)
$(O)/$(HOSTILE)/$1: | $(O)/$(HOSTILE)/keep/$1/exec \
	$(O)/$(HOSTILE)/keep/$1/shim $(O)/$(HOSTILE)/keep/software/monitor
TAPS += $(O)/$(HOSTILE)/$1
endef
$(foreach t,snp tdx,$(eval $(call hostile_host,$t)))
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
