# Under a sanitizer exec is an ordinary dynamic program with a run time of its
# own, so a few walls stay down (HAL_SANITIZED, process_priv.h).
HAL_SANITIZED := -DHAL_SANITIZED=$(if $(SAN),1,0)
CF-src/hal/process := $(HAL_SANITIZED)
CF-src/hal/process_image := $(HAL_SANITIZED)
CF-src/hal/process_spawn := $(HAL_SANITIZED)
CF-src/hal/names := $(HAL_SANITIZED)
$(call library,hal,$(wildcard src/hal/*.c),host)
$(call unit,hal,hal soft crypto codec base,-lcrypto -lseccomp)
