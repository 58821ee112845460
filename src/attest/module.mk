# `attest` is what a Keep makes (claims, tagged evidence); `verify` is what
# its tenant judges with: it needs `attest toml json codec crypto base`.
$(call library,attest,src/attest/claims.c src/attest/receipt.c)
VERIFY := check seen software snp snp_chain cert quote pck collateral level intel \
	enclave verify policy policy_snp policy_intel print \
	measure bundle endorse carrier time vendor measure_snp id_block ovmf measure_sgx sigstruct measure_tdx launch vet wanted enarx keystone sanctum pef policy_riscv explain
$(call library,verify,$(VERIFY:%=src/attest/%.c),host fuzz)
VERIFY_LIBS := verify attest toml json crypto codec base
$(call unit,attest,soft $(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,claims,attest crypto codec base,-lcrypto)
$(call fuzzer,policy,$(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,evidence,$(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,certificate,$(VERIFY_LIBS),-lcrypto -ljansson)
$(call fuzzer,receipt,attest crypto codec base,-lcrypto)
