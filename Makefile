# SPDX-License-Identifier: GPL-2.0
#
# Entry point: everything is built below build/ (or O=DIR), and "make help"
# lists the targets. Kbuild has the rules of the module itself.

VERSION := 0.1
KERNELS := 6.12 6.1 uml debug
KERNEL ?= 6.12
O ?= build

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
MANDIR ?= $(PREFIX)/share/man
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g

all: modules lib tools selftests ## build the module for 6.12 and 6.1, library, tools and test programs

# Variables and flags of this make mean something else to the kernel's.
own-make := env -u MAKEFLAGS -u MAKEOVERRIDES -u MFLAGS

makefiles := Makefile lib/Makefile tools/Makefile selftests/Makefile
include $(filter-out Makefile,$(makefiles))

modules: module-6.12 module-6.1 ## build the module for 6.12 and 6.1 (module-uml, module-debug: for these)
.PHONY: all modules $(KERNELS:%=module-%)
$(KERNELS:%=module-%): module-%:
	@$(own-make) selftests/vm/module $*

deps: ## install the Debian packages that building and testing need
	@selftests/deps

# A second make, since its look-ups need the packages.
demo check bench bench-check profile: deps
	+@$(MAKE) --no-print-directory $@-run
.PHONY: deps demo check demo-run check-run model chaos mutants lint vm vm2
.PHONY: bench bench-run bench-check bench-check-run profile profile-run

demo: ## run the ledger demo in a guest (KERNEL=6.12|6.1|uml|debug)
demo-run: guest
	@selftests/vm/vm -k $(KERNEL) -t 900 $(vm-options) -c tools/demo/run

check: ## run the tests (TESTS='GLOB...' KERNEL='host uml 6.1 6.12 debug' STRICT=1)
check-run: lib tools selftests
	@$(own-make) selftests/run $(if $(check-kernels),-k '$(check-kernels)') \
		$(if $(STRICT),--strict) $(TESTS:%='%')

model: deps ## check the model of the protocol, for all orders of events
	@$(own-make) selftests/run -k host 'model/*'

# Faults are injected by what only the debug kernels have.
chaos: chaos-guest ## call while everything fails, and check the history (SEED= CALLS= GAP= LEAKS=no KERNEL=uml|debug)
	@$(own-make) selftests/chaos/run -k $(chaos-kernel) \
		$(if $(SEED),-s $(SEED)) $(if $(CALLS),-n $(CALLS)) \
		$(if $(GAP),-g $(GAP)) $(if $(filter no,$(LEAKS)),-l)

mutants: lib tools selftests module-uml ## see that a chaos run notices what is taken out of the module (MUTANTS= SEED=)
	@$(own-make) selftests/chaos/mutants $(if $(SEED),-s $(SEED)) $(MUTANTS)

chaos-kernel := $(if $(filter file,$(origin KERNEL)),uml,$(KERNEL))
chaos-guest: lib tools selftests module-$(chaos-kernel)
.PHONY: chaos-guest

# Figures can be compared only with those of the same kernel and clock.
bench-guest: lib tools module-6.12
.PHONY: bench-guest
bench-vm = $(own-make) selftests/vm/vm -k 6.12 -i -m 3072
ternbench = LD_LIBRARY_PATH=$(O)/lib $(O)/bin/ternbench
budgets := tools/ternbench/budgets
results := build/bench/results.json

bench: ## measure Tern and its peers, write Documentation/performance.md (BENCH='peer udp ...')
# 1 is the status when a cell failed, which the report shows.
bench-run: bench-guest
	@mkdir -p $(dir $(results))
	@$(bench-vm) -t 14400 -o $(dir $(results)) -c 'ternbench -j run \
		date $(shell date +%F) $(BENCH) >/out/$(notdir $(results))' || [ $$? = 1 ]
	@$(ternbench) report $(budgets) $(results) >$(results).md
	@mv $(results).md Documentation/performance.md
	@$(ternbench) plot $(results) Documentation

bench-check: ## fail when a call costs more than its budget, tools/ternbench/budgets
bench-check-run: bench-guest
	@$(bench-vm) -t 1800 -c 'ternbench -j run quick budgets $(budgets) >/tmp/results && \
		ternbench check $(budgets) /tmp/results'

# A cell, as ternbench prints it.
CELL ?= tern/net/call
profile: ## show where the instructions of a cell go (CELL=tern/net/call COUNT=40)
profile-run: bench-guest
	@O=$(O) tools/ternbench/profile/profile $(if $(COUNT),-n $(COUNT)) $(subst /, ,$(CELL))

lint: ## run the static checks
	@$(own-make) selftests/lint

vm: guest ## boot a guest (KERNEL= CMD='...' SMP= MEM= TIMEOUT= ICOUNT=1 TRAVEL=1)
	@selftests/vm/vm -k $(KERNEL) $(vm-options) $${GUEST_CMD:+-c "$$GUEST_CMD"}

vm2: guest ## boot two guests with a link between them (KERNEL= CMD='...')
	$(if $(TRAVEL),$(error two guests have no common time, so that there is no TRAVEL))
	@selftests/vm/vm2 -k $(KERNEL) $(vm-options) $${GUEST_CMD:+-c "$$GUEST_CMD"}

vm-options = $(if $(SMP),-s $(SMP)) $(if $(MEM),-m $(MEM)) \
	$(if $(TIMEOUT),-t $(TIMEOUT)) $(if $(ICOUNT),-i) $(if $(TRAVEL),-T)

# CMD reaches the shell as it was given, without being expanded here.
export GUEST_CMD := $(value CMD)
unexport CMD

guest: lib tools selftests module-$(KERNEL)
.PHONY: guest

ifneq ($(filter chaos,$(MAKECMDGOALS)),)
ifneq ($(words $(chaos-kernel)) $(filter-out uml debug,$(chaos-kernel)),1 )
$(error no kernel "$(chaos-kernel)": KERNEL is uml or debug)
endif
endif
ifneq ($(filter demo demo-run vm vm2,$(MAKECMDGOALS)),)
ifneq ($(words $(KERNEL)) $(filter-out $(KERNELS),$(KERNEL)),1 )
$(error no kernel "$(KERNEL)": KERNEL is one of $(KERNELS))
endif
endif
ifneq ($(filter check check-run,$(MAKECMDGOALS)),)
check-kernels := $(if $(filter file,$(origin KERNEL)),,$(KERNEL))
ifneq ($(filter-out host $(KERNELS),$(check-kernels)),)
$(error no kernel "$(filter-out host $(KERNELS),$(KERNEL))": KERNEL is a list of host $(KERNELS))
endif
endif

# The module is built for the running kernel, when its headers are there.
headers := /lib/modules/$(shell uname -r)/build
install: install-lib install-tools install-man install-module ## install below PREFIX and DESTDIR
install-module:
	@if [ -e $(headers) ]; then \
		mkdir -p $(O)/install && cp -r Kbuild kmod include $(O)/install && \
		$(MAKE) -C $(headers) M=$(abspath $(O)/install) modules && \
		$(MAKE) -C $(headers) M=$(abspath $(O)/install) \
			$(if $(DESTDIR),INSTALL_MOD_PATH=$(abspath $(DESTDIR))) modules_install; \
	else \
		echo "no headers of the running kernel: the module is not installed"; \
	fi
# A page that describes several functions has a link for each of the others.
install-man:
	@for page in $(wildcard Documentation/man/man*/*.[0-9]); do \
		section=$${page##*.}; \
		dir=$(DESTDIR)$(MANDIR)/man$$section; \
		file=$${page##*/}; \
		install -D -m 644 $$page $$dir/$$file || exit 1; \
		for name in $$(sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([^ ]*\).*/\1/p' $$page); do \
			[ $$name.$$section = $$file ] || \
				ln -sf $$file $$dir/$$name.$$section || exit 1; \
		done; \
	done
.PHONY: install install-lib install-tools install-man install-module

clean: ## remove everything that was built
	rm -rf $(O)
	@# what a build by hand leaves, see README
	rm -f $(foreach dir,. kmod kmod/tests,$(addprefix $(dir)/,*.o *.ko *.mod \
		*.mod.c .*.cmd Module.symvers modules.order))

help: ## list the targets
	@awk -F ': .*## |: ## ' '/^[a-z0-9-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
.PHONY: clean help

# A line for each command instead of the command, or with V=1 the command.
say = $(if $(V),,@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,printf '  %-7s %s\n' $(1) $@;))

# Programs and libraries of user space: one rule for every object.
USER_CFLAGS = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wno-missing-field-initializers \
	-Wstrict-prototypes -Wmissing-prototypes -pthread -Iinclude/uapi -Ilib $(CFLAGS)
$(O)/obj/%.o: %.c $(makefiles)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(USER_CFLAGS) $(AREA_CFLAGS) -MMD -MP -c -o $@ $<
$(O)/obj/%.o: %.cc $(makefiles)
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) $(CPPFLAGS) -std=c++17 -Wall -Wextra -pthread -Iinclude/uapi -Ilib \
		$(CFLAGS) $(AREA_CFLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(lib-objects) $(tool-objects) $(selftest-objects) $(sanitized-objects))
