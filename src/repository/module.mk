$(call library,repository,$(wildcard src/repository/*.c),host fuzz)
REPOSITORY_LIBS := repository net toml json crypto codec base
REPOSITORY_SYS  := -lcurl -lcrypto -ljansson -lz
$(call unit,repository,$(REPOSITORY_LIBS),$(REPOSITORY_SYS))
$(call fuzzer,reference,$(REPOSITORY_LIBS),$(REPOSITORY_SYS))
$(call fuzzer,manifest,$(REPOSITORY_LIBS),$(REPOSITORY_SYS))
$(call fuzzer,tar,$(REPOSITORY_LIBS),$(REPOSITORY_SYS))
$(call fuzzer,zip,$(REPOSITORY_LIBS),$(REPOSITORY_SYS))
$(call fuzzer,signature,$(REPOSITORY_LIBS),$(REPOSITORY_SYS))
$(call fuzzer,challenge,$(REPOSITORY_LIBS),$(REPOSITORY_SYS))
$(call fuzzer,web_note,$(REPOSITORY_LIBS),$(REPOSITORY_SYS))
