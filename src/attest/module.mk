# `attest` is what a Keep makes (claims, tagged evidence); `verify` is what
# its tenant judges with, and links TOML and JSON.
$(call library,attest,src/attest/claims.c)
$(call unit,attest,attest crypto codec base,-lcrypto)
$(call fuzzer,claims,attest crypto codec base,-lcrypto)
