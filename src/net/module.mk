NET_SYS := -lcurl
# The rules are the Keep's too.
$(call library,rule,src/net/rule.c)
$(call library,net,$(filter-out src/net/rule.c,$(wildcard src/net/*.c)),host fuzz)
$(call unit,net,net rule base,$(NET_SYS))
$(call fuzzer,http_response,net base,$(NET_SYS))
$(call fuzzer,rule,rule base)
