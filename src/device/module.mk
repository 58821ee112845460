$(call library,device,src/device/linux.c,host fuzz)
