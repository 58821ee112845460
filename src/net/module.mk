NET_SYS := -lcurl
$(call library,net,$(wildcard src/net/*.c),host fuzz)
$(call unit,net,net base,$(NET_SYS))
$(call fuzzer,http_response,net base,$(NET_SYS))
