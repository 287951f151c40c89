# A Makefile rule: a loop is made again when its rhythm or this file has changed, and only then.
#
#   make -f examples/loops.mk -j2 MIDI=beats OUT=loops KIT=warm-808
#
# Files are written whole or not at all, so that an interrupted make leaves no broken loop.
LOOPNET ?= loopnet
MIDI ?= .
OUT ?= loops
KIT ?= tight-studio
LOOPS := $(patsubst $(MIDI)/%.mid,$(OUT)/%.wav,$(wildcard $(MIDI)/*.mid))

all: $(LOOPS)

$(OUT)/%.wav: $(MIDI)/%.mid $(lastword $(MAKEFILE_LIST))
	@mkdir -p $(@D)
	OMP_NUM_THREADS=1 $(LOOPNET) generate $< -o $@ --kit $(KIT) --seed 1 --overwrite --quiet

.PHONY: all
