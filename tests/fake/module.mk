# A stand-in for exec: tests of the HAL and of the loader launch it.
$(call program,tests/fake/keep/process/exec,exec,tests/fake/exec.c)
$(O)/tests/unit/hal/process $(O)/tests/unit/host/gate_keep: | \
	$(O)/tests/fake/keep/process/exec
$(O)/tests/unit/host/gate_keep: | $(O)/bin/donjon-keep
# The same below a shim.
$(call program,tests/fake/keep/kvm/exec,exec,tests/fake/guest.c)
$(O)/tests/fake/keep/kvm/shim: $(O)/keep/kvm/shim
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/tests/unit/hal/kvm: | $(O)/tests/fake/keep/kvm/exec \
	$(O)/tests/fake/keep/kvm/shim
# And in an enclave of the software platform.
$(O)/tests/fake/keep/sgx/exec: $(O)/tests/fake/keep/kvm/exec
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/tests/fake/keep/sgx/shim: $(O)/keep/sgx/shim
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/tests/fake/keep/software/monitor: $(O)/keep/software/monitor
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/tests/unit/hal/sgx $(O)/tests/unit/hal/sgx_hostile: | \
	$(O)/tests/fake/keep/sgx/exec $(O)/tests/fake/keep/sgx/shim \
	$(O)/tests/fake/keep/software/monitor
