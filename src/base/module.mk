$(call library,base,$(wildcard src/base/*.c))
$(call unit,base,base)
