$(call library,device,$(wildcard src/device/*.c),host fuzz)
$(call unit,device,device base)
