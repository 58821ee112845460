# A stand-in for exec: tests of the HAL and of the loader launch it.
$(call program,tests/fake/keep/process/exec,exec,tests/fake/exec.c)
$(O)/tests/unit/hal/process $(O)/tests/unit/host/gate_keep: | \
	$(O)/tests/fake/keep/process/exec
$(O)/tests/unit/host/gate_keep: | $(O)/bin/donjon-keep
# The same below a shim, and the software platform for it.
FAKE_KEEP := $(O)/tests/fake/keep
$(call program,tests/fake/keep/kvm/exec,exec,tests/fake/guest.c tests/fake/guest_x86_64.c)
$(FAKE_KEEP)/snp/exec: $(FAKE_KEEP)/kvm/exec
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(FAKE_KEEP)/tdx/exec: $(FAKE_KEEP)/kvm/exec
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(FAKE_KEEP)/sgx/exec: $(FAKE_KEEP)/kvm/exec
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(FAKE_KEEP)/%: $(O)/keep/%
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/tests/unit/hal/kvm $(O)/tests/unit/hal/snp \
$(O)/tests/unit/hal/tdx: | $(foreach t,kvm snp tdx,\
	$(FAKE_KEEP)/$t/exec $(FAKE_KEEP)/$t/shim) $(FAKE_KEEP)/software/monitor
$(O)/tests/unit/hal/sgx $(O)/tests/unit/hal/sgx_hostile \
$(O)/tests/unit/hal/sgx_border: | \
	$(FAKE_KEEP)/sgx/exec $(FAKE_KEEP)/sgx/shim $(FAKE_KEEP)/software/monitor
# RISC-V's, where its compiler is.
$(call program,tests/fake/keep/sanctum/exec,exec-riscv64,tests/fake/guest.c tests/fake/guest_riscv64.c $(call START,riscv64),,$(START_LINK))
KEEP_riscv64_tests += $(foreach i,exec shim monitor,$(FAKE_KEEP)/sanctum/$i)
