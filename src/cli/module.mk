# The tenant's program.  TOML is read by C++, so g++ links it.  `client` is
# all of it but the command line.
CLIENT_LIBS := client repository net rule channel verify attest enclave esm toml json crypto \
	codec base
CLIENT_SYS  := -lcurl -lssl -lcrypto -ljansson -lz
$(call library,cli,$(filter-out src/cli/main.c,$(wildcard src/cli/*.c)),host fuzz)
$(call program,bin/donjon,host,src/cli/main.c,cli $(CLIENT_LIBS),$(CLIENT_SYS))
$(call unit,cli,cli $(CLIENT_LIBS),$(CLIENT_SYS))
