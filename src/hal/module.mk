# Under a sanitizer exec is an ordinary dynamic program with a run time of its
# own, so a few walls stay down (HAL_SANITIZED, process_priv.h).
HAL_SANITIZED := -DHAL_SANITIZED=$(if $(SAN),1,0)
CF-src/hal/process := $(HAL_SANITIZED)
CF-src/hal/process_image := $(HAL_SANITIZED)
CF-src/hal/process_spawn := $(HAL_SANITIZED)
CF-src/hal/names := $(HAL_SANITIZED)
CF-src/hal/vm_confine := $(HAL_SANITIZED)
$(call library,hal,$(wildcard src/hal/*.c),host)
# What a verifier expects, to compare with.
$(call library,measure,src/attest/measure.c src/attest/measure_keep.c src/attest/measure_snp.c src/attest/measure_sgx.c src/attest/measure_enclave.c,host)
$(call unit,hal,hal soft device measure enclave crypto codec base,-lcrypto -lseccomp)
