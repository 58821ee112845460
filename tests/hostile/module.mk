# Hostile hosts against the real shim: snp.c.  The loader's calls of the
# software platform go through lies.c.
HOSTILE := tests/hostile
$(call program,$(HOSTILE)/keep/snp/exec,exec,$(HOSTILE)/victim.c,keep crypto base,-lcrypto -Wl$(comma)--no-warnings$(comma)-s)
$(call program,$(HOSTILE)/snp,host,$(HOSTILE)/snp.c $(HOSTILE)/lies.c,hal soft device measure enclave crypto codec base,-Wl$(comma)--wrap=soft_device_new -Wl$(comma)--wrap=soft_device_endorsements -lcrypto -lseccomp -lprotobuf-c)
$(O)/$(HOSTILE)/keep/%: $(O)/keep/%
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/$(HOSTILE)/snp: | $(O)/$(HOSTILE)/keep/snp/exec \
	$(O)/$(HOSTILE)/keep/snp/shim $(O)/$(HOSTILE)/keep/software/monitor
TAPS += $(O)/$(HOSTILE)/snp
# Loaders for the end-to-end tests: of debug enclaves, on an old processor.
define hostile_loader
$(call program,$(HOSTILE)/$1/donjon-keep,host,src/host/keep_main.c $(HOSTILE)/loader.c $(HOSTILE)/$1_enclave.c,host hal soft device enclave json crypto codec rule base,-Wl$(comma)--wrap=soft_device_new -ljansson -lseccomp -lcrypto -lprotobuf-c)
tests: $(O)/$(HOSTILE)/$1/donjon-keep
endef
$(foreach l,debug old,$(eval $(call hostile_loader,$l)))
