# `attest` is what a Keep makes (claims, tagged evidence); `verify` is what
# its tenant judges with: it needs `attest toml json codec crypto base`.
$(call library,attest,src/attest/claims.c src/attest/receipt.c)
VERIFY := check seen software snp snp_chain cert quote pck collateral level intel \
	enclave verify policy policy_snp policy_intel print \
	measure bundle endorse carrier time vendor measure_snp measure_keep measure_enclave id_block ovmf measure_sgx sigstruct measure_tdx measure_domain measure_monitor measure_sanctum launch launch_parts launch_monitor vet wanted enarx keystone sanctum pef policy_riscv explain
VERIFY += rules wire
$(call library,verify,$(VERIFY:%=src/attest/%.c),host fuzz)
# What a Keep judges its peers with: the verifier without files of policies.
JUDGE := check seen software snp snp_chain cert quote pck collateral level \
	intel enclave verify bundle carrier time vendor enarx keystone \
	sanctum pef vet endorse rules wire
$(call library,judge,$(JUDGE:%=src/attest/%.c),host exec)
VERIFY_LIBS := verify attest enclave toml json crypto codec base
$(call unit,attest,soft $(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,claims,attest crypto codec base,-lcrypto)
$(call fuzzer,policy,$(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,policy_wire,$(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,evidence,$(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,certificate,$(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,receipt,attest crypto codec base,-lcrypto)
$(call fuzzer,quote,$(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,collateral,$(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,measure,$(VERIFY_LIBS),-lcrypto -ljansson)

# The verifier for others: one object with one kind of name in it, so that
# nothing of ours meets anything of theirs.  Static, as small programs are.
ATTEST_LIB := $(O)/lib/libdonjon-attest.a
CF-src/attest/library := -Iinclude
$(call library,attest_api,src/attest/library.c,host)
$(ATTEST_LIB): $(call libs,host,attest_api $(VERIFY_LIBS))
	$(call say,LD -r,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(CC.host) -r -nostdlib -o $@.o \
		-Wl,--whole-archive $(call libs,host,attest_api) \
		-Wl,--no-whole-archive -Wl,--start-group \
		$(call libs,host,$(VERIFY_LIBS)) -Wl,--end-group
	$(Q)objcopy -w --keep-global-symbol='donjon_attest_*' $@.o
	$(Q)ar rcsD $@ $@.o && rm -f $@.o
ALL += $(ATTEST_LIB)
$(call program,bench/attest,host,bench/attest.c,$(VERIFY_LIBS),-lcrypto -ljansson)
