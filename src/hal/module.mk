# Under a sanitizer exec is an ordinary dynamic program with a run time of its
# own, so a few walls stay down (HAL_SANITIZED, process_priv.h).
HAL_SANITIZED := -DHAL_SANITIZED=$(if $(SAN),1,0)
CF-src/hal/process := $(HAL_SANITIZED)
CF-src/hal/process_image := $(HAL_SANITIZED)
CF-src/hal/process_spawn := $(HAL_SANITIZED)
CF-src/hal/names := $(HAL_SANITIZED)
CF-src/hal/vm_confine := $(HAL_SANITIZED)
# What we say to AESM; made by protobuf's compiler, which has a style of its own.
AESM := $(O)/gen/aesm.pb-c
CF-$(AESM) := -w
$(AESM).c: src/hal/aesm.proto
	$(call say,PROTO,$<)
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $<
$(AESM).h: $(AESM).c
$(O)/obj/host/src/hal/aesm.c.o $(O)/obj/host/tests/unit/hal/aesm.c.o: | $(AESM).h
$(call library,hal,$(wildcard src/hal/*.c) $(AESM).c,host)
# What a verifier expects, to compare with.
$(call library,measure,src/attest/measure.c src/attest/measure_keep.c src/attest/measure_snp.c src/attest/measure_tdx.c src/attest/measure_domain.c src/attest/measure_sgx.c src/attest/measure_enclave.c src/attest/measure_sanctum.c src/attest/measure_monitor.c src/attest/sigstruct.c,host)
$(call unit,hal,hal soft device measure enclave crypto codec base,-lcrypto -lseccomp -lprotobuf-c -Wl$(comma)--wrap=soft_device_new -Wl$(comma)--wrap=soft_device_endorsements -Wl$(comma)--wrap=device_linux_new)
# An answer of a quoting service.
$(call library,hal_qgs,src/hal/qgs.c src/hal/service.c,host fuzz)
$(call fuzzer,tdx_quote,hal_qgs keep base)
