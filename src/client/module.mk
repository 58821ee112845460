# CLIENT_LIBS, CLIENT_SYS: src/cli/module.mk
$(call library,client,$(wildcard src/client/*.c),host fuzz)
$(call unit,client,$(CLIENT_LIBS),$(CLIENT_SYS))
$(call fuzzer,client_answer,$(CLIENT_LIBS),$(CLIENT_SYS))
$(call fuzzer,client_config,$(CLIENT_LIBS),$(CLIENT_SYS))
