# CLIENT_LIBS, CLIENT_SYS: src/cli/module.mk
$(call library,client,$(wildcard src/client/*.c),host fuzz)
$(call unit,client,$(CLIENT_LIBS),$(CLIENT_SYS))
