$(call library,device,$(wildcard src/device/*.c),host fuzz)
