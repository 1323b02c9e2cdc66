# libso: maps on SO(n), and the ViT harness that reproduces LieRE.
#
#   make            the library, the programs, the benchmarks
#   make cuda       libso_cuda, by nvcc if there is one; some minutes
#   make deps       install what is missing from Debian's packages (root or sudo; otherwise prints the line and stops)
#   make check      deps, build, every proof and test suite; ends with the totals
#   make check-asan the same under AddressSanitizer and UBSan (BUILD/asan)
#   make check-tsan the threaded suites under ThreadSanitizer, and the kernels, whose threads are threads to it
#   make check-valgrind  the short suites of libso under memcheck
#   make check-neon the suites of libso for AArch64, cross-compiled, under qemu
#   make mutants    the tests must notice every mutation of tests/mutants.txt
#   make coverage   statement coverage of libso/ by its own suites: per file, every line not executed; fails below 98 %
#   make prove      the programs of proofs/ alone
#   make bench      the whole sweep with its pictures, and the shares of the FMA peak in cache; minutes, into $(RESULTS)
#   make bench-peers  libso and its peers (PyTorch, SciPy, Eigen, LAPACKE; those present) in turns; bench/README.md
#   make install    so.h, libso.a, libso.so, so.pc and the manual to $(DESTDIR)$(PREFIX), and libso_cuda if it has been built;
#                   make uninstall removes them
#   make gpu-bundle tests and benchmark for a machine with a GPU where nothing is installed: $(BUILD)/gpu-bundle, to be copied there
#   make check-gpu  the suites on the GPU of this machine, and under compute-sanitizer
#   make bench-gpu  the sweep on the GPU of this machine, and PyTorch beside it, into $(GPU_RESULTS)
#   make kernel-report  registers, shared memory and occupancy of every kernel: kernels/REGISTERS.md; fails if one spills
#   make clean      (make V=1 ... shows the commands)
#
# A new .c file in a folder below is found by itself. libso/cpu/*.c is compiled once per real type and instruction set,
# libso/cpu/group/*.c also once per layout (libso/real.h). tests/check_X.c must define `Suite *check_X(void)`.

.DEFAULT_GOAL := all

ifeq ($(origin CC),default)
CC      := gcc
endif
BUILD   ?= build
ifneq ($(words $(BUILD) $(CURDIR)),2)
$(error BUILD ('$(BUILD)') and this folder ('$(CURDIR)') must be paths without spaces: make cannot name files in others)
endif
OBJCOPY ?= objcopy
CFLAGS  ?= -O2 -g
# The copies of libso/cpu that are built; at run time the widest that the machine can execute is taken (backend_cpu.c).
# NEON is in the baseline of AArch64: there portable is neon but for smaller tiles, and stays as the copy that every machine has.
MACHINE := $(shell $(CC) -dumpmachine)
ISAS    ?= portable $(if $(filter x86_64-%,$(MACHINE)),avx2 avx512) $(if $(filter aarch64-%,$(MACHINE)),neon)
VERSION := 0.1.0
DATE    := 2026-11-22
WARN    := -std=c11 -Wall -Wextra -Wconversion -Wshadow -Werror -Wno-psabi -Wno-unknown-pragmas
BASE_CFLAGS := $(CFLAGS) $(WARN) -D_GNU_SOURCE -fopenmp -MMD -MP $(SANITIZE) $(ISAS:%=-DSO_HAVE_%)
ALL_CFLAGS  := $(BASE_CFLAGS) -I. -Ilibso -Iharness
LIBS    := -llapacke -lopenblas -lgomp -lm
HARNESS_LIBS := -linih -lcjson -lxxhash -lpng
KERNEL_OPT ?= -O3
# Position-independent; nothing visible outside but SO_API; the build's folder leaves no trace in the objects.
LIBSO_CFLAGS := $(BASE_CFLAGS) -fPIC -fvisibility=hidden '-ffile-prefix-map=$(CURDIR)=.'
MARCH_portable :=
MARCH_avx2     := -march=x86-64-v3
MARCH_avx512   := -march=x86-64-v4 -mprefer-vector-width=512
# Scheduled before registers are allocated, as gcc does for AArch64 alone, the loads of a tile need more registers than there are.
MARCH_neon     := -march=armv8-a -fno-schedule-insns
QUIET   := $(if $(V),,@)
COMMIT  := $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)

.PHONY: all lib cuda clean deps check check-asan run-checks prove run-prove layering mutant-list readme install install-cuda uninstall \
        check-install coverage check-valgrind check-tsan check-neon check-shim mutants gpu-bundle check-gpu bench-gpu kernel-report \
        bench run-bench bench-peers run-bench-peers
.DELETE_ON_ERROR:
.SECONDARY:

# $(BUILD)/$(1) holds the text $(2); what depends on it is made again when the text changes.
remember = $(shell mkdir -p $(BUILD); echo '$(2)' | cmp -s - $(BUILD)/$(1) || echo '$(2)' > $(BUILD)/$(1))

# ---- libso --------------------------------------------------------------------------------------------------------------

REALS     := f32 f64
LIBSO_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out libso/api.c,$(sort $(wildcard libso/*.c)))) \
             $(foreach r,$(REALS),$(BUILD)/$(r)/libso/api.o)
define VARIANT # $(1) real, $(2) instruction set, $(3) layout or empty
$(BUILD)/$(1)_$(2)$(if $(3),_$(3))/%.o: %.c
	@mkdir -p $$(@D)
	@echo "  cc $(1) $(2) $(3) $$<"
	$(QUIET)$(CC) $(LIBSO_CFLAGS) $(KERNEL_OPT) -ffp-contract=fast -fno-math-errno -fno-trapping-math $(MARCH_$(2)) -DSO_REAL_$(1) -DSO_ISA_$(2) $(if $(3),-DSO_LAYOUT_$(3)) -c $$< -o $$@
LIBSO_OBJ += $$(patsubst %.c,$(BUILD)/$(1)_$(2)$(if $(3),_$(3))/%.o,$$(sort $$(wildcard $(if $(3),libso/cpu/group/*.c $(if $(filter single,$(3)),libso/cpu/lapack/*.c),libso/cpu/*.c))))
endef
$(foreach r,$(REALS),$(foreach i,$(ISAS),$(foreach l,_ lanes single,$(eval $(call VARIANT,$(r),$(i),$(filter-out _,$(l)))))))

$(foreach r,$(REALS),$(eval $(BUILD)/$(r)/%.o: %.c ; @mkdir -p $$(@D); echo "  cc $(r) $$<"; \
	$(CC) $(LIBSO_CFLAGS) -DSO_REAL_$(r) -c $$< -o $$@))
$(BUILD)/libso/%.o: libso/%.c
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(QUIET)$(CC) $(LIBSO_CFLAGS) -c $< -o $@

$(call remember,flags,$(CC) $(ALL_CFLAGS) $(KERNEL_OPT))
$(call remember,libso_objects,$(LIBSO_OBJ))
$(LIBSO_OBJ): $(BUILD)/flags
SONAME := libso.so.$(firstword $(subst ., ,$(VERSION)))
SHARED := libso.so.$(VERSION)
lib: $(BUILD)/libso.a $(BUILD)/$(SHARED)
# One object with all of it, so that what is hidden becomes local: the archive has no names outside so_* either. Link-time
# optimisation (CFLAGS=-flto) ends here: names of its intermediate code would stay visible.
$(BUILD)/libso.o: $(LIBSO_OBJ) $(BUILD)/libso_objects
	$(QUIET)$(CC) -r -nostdlib $(if $(findstring -flto,$(CFLAGS)),$(CFLAGS) -flinker-output=nolto-rel) $(LIBSO_OBJ) -o $@
	$(QUIET)$(OBJCOPY) --localize-hidden $@
$(BUILD)/libso.a: $(BUILD)/libso.o
	@echo "  ar $@"
	$(QUIET)rm -f $@ && $(AR) rcsD $@ $<
LINK_SHARED = $(CC) $(SANITIZE) $(LDFLAGS) -shared -fopenmp -Wl,-soname,$(SONAME) -Wl,-z,defs $(LIBSO_OBJ) $(LIBS)
$(BUILD)/$(SHARED): $(LIBSO_OBJ) $(BUILD)/libso_objects
	@echo "  ld $@"
	$(QUIET)$(LINK_SHARED) -o $@

include kernels/nvcc.mk

# ---- installation -------------------------------------------------------------------------------------------------------

PREFIX     ?= /usr/local
INCLUDEDIR ?= $(PREFIX)/include
LIBDIR     ?= $(PREFIX)/lib
MANDIR     ?= $(PREFIX)/share/man
MAN        := $(BUILD)/man

MAN_PAGES  := $(MAN)/so/so.3 $(MAN)/so_cuda/so_cuda.3

$(MAN_PAGES): libso/man/pages.awk libso/so.h libso/so_cuda.h Makefile
	@rm -rf $(@D) && mkdir -p $(@D)
	$(QUIET)awk -v folder=$(@D) -v version=$(VERSION) -v date=$(DATE) -f libso/man/pages.awk libso/$(@F:.3=.h)

install: lib $(MAN)/so/so.3
	install -d $(addprefix $(DESTDIR),$(INCLUDEDIR) $(LIBDIR)/pkgconfig $(MANDIR)/man3)
	install -m 644 libso/so.h $(DESTDIR)$(INCLUDEDIR)
	install -m 644 $(BUILD)/libso.a $(BUILD)/$(SHARED) $(DESTDIR)$(LIBDIR)
	ln -sf $(SHARED) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libso.so
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|; s|@LIBS@|$(LIBS)|' libso/so.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/so.pc
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/so.pc
	install -m 644 $(MAN)/so/*.3 $(DESTDIR)$(MANDIR)/man3
	@[ ! -e $(BUILD)/$(CUDA_SHARED) ] || $(MAKE) --no-print-directory install-cuda
install-cuda: $(MAN)/so_cuda/so_cuda.3
	install -d $(addprefix $(DESTDIR),$(INCLUDEDIR) $(LIBDIR)/pkgconfig $(MANDIR)/man3)
	install -m 644 libso/so_cuda.h $(DESTDIR)$(INCLUDEDIR)
	install -m 644 $(BUILD)/libso_cuda.a $(BUILD)/$(CUDA_SHARED) $(DESTDIR)$(LIBDIR)
	ln -sf $(CUDA_SHARED) $(DESTDIR)$(LIBDIR)/$(CUDA_SONAME)
	ln -sf $(CUDA_SONAME) $(DESTDIR)$(LIBDIR)/libso_cuda.so
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|; s|@LIBS@|$(CUDA_LINK)|' libso/so_cuda.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/so_cuda.pc
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/so_cuda.pc
	install -m 644 $(MAN)/so_cuda/*.3 $(DESTDIR)$(MANDIR)/man3

uninstall: $(MAN_PAGES)
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libso.a libso.so $(SONAME) $(SHARED) pkgconfig/so.pc) $(DESTDIR)$(INCLUDEDIR)/so.h
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libso_cuda.a libso_cuda.so $(CUDA_SONAME) $(CUDA_SHARED) pkgconfig/so_cuda.pc)
	rm -f $(DESTDIR)$(INCLUDEDIR)/so_cuda.h
	for page in $(MAN)/*/*.3; do rm -f "$(DESTDIR)$(MANDIR)/man3/$${page##*/}"; done

# ---- harness, benchmarks, proofs, tests ---------------------------------------------------------------------------------

PROGRAM_SRC   := $(addprefix harness/,train.c evaluate.c make_report.c arrows_png.c)
BENCH_SRC     := bench/expm_sweep.c bench/peers/peer_ratios.c bench/peers/lapacke.c bench/gpu/expected.c
HARNESS_OBJ   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(PROGRAM_SRC),$(wildcard harness/*.c harness/*/*.c)))
BENCH_OBJ     := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(BENCH_SRC),$(wildcard bench/*.c bench/peers/*.c bench/gpu/*.c)))
PROGRAMS      := $(PROGRAM_SRC:%.c=$(BUILD)/%)
BENCHES       := $(BENCH_SRC:%.c=$(BUILD)/%)
PROOFS        := $(patsubst %.c,$(BUILD)/%,$(wildcard proofs/*.c))
SUITES        := $(wildcard $(addprefix tests/check_*,.c .cpp .cu))
TEST_OBJ      := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/*.c))

all: lib $(PROGRAMS) $(BENCHES)
	@echo "make: $(if $(NVCC),make cuda builds libso_cuda with $(NVCC),no nvcc here: no libso_cuda)"

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(QUIET)$(CC) $(ALL_CFLAGS) -DCOMMIT='"$(COMMIT)"' -c $< -o $@
# What carries the commit into results is compiled again when the commit changes.
$(call remember,commit,$(COMMIT))
$(patsubst %.c,$(BUILD)/%.o,$(shell grep -lws COMMIT bench/*.c harness/*.c harness/*/*.c)): $(BUILD)/commit

$(call remember,harness_objects,$(HARNESS_OBJ))
$(call remember,suites,$(SUITES))
$(HARNESS_OBJ) $(PROGRAM_SRC:%.c=$(BUILD)/%.o) $(BENCH_SRC:%.c=$(BUILD)/%.o) $(BENCH_OBJ) $(TEST_OBJ) $(PROOFS:%=%.o): $(BUILD)/flags

$(BUILD)/libharness.a: $(HARNESS_OBJ) $(BUILD)/harness_objects
	@echo "  ar $@"
	$(QUIET)rm -f $@ && $(AR) rcs $@ $(HARNESS_OBJ)
$(PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libharness.a $(BUILD)/libso.a
	@echo "  ld $@"
	$(QUIET)$(CC) $(SANITIZE) -fopenmp $^ $(HARNESS_LIBS) $(LIBS) -o $@
$(BENCHES): $(BUILD)/%: $(BUILD)/%.o $(BENCH_OBJ) $(BUILD)/libharness.a $(BUILD)/libso.a
	@echo "  ld $@"
	$(QUIET)$(CC) $(SANITIZE) -fopenmp $^ $(LIBS) -o $@
$(PROOFS): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libso.a
	@echo "  ld $@"
	$(QUIET)$(CC) $(SANITIZE) -fopenmp $^ -lflint-arb -lflint $(LIBS) -o $@

# Kernels and their tests, by $(CXX) with tests/cuda_on_cpu in the place of CUDA; once per real type, but for what has none. Unlike
# with nvcc files share inline functions and templates of one name, which must therefore be the same for all real types.
SHIM_ONCE   := $(CUDA_ONCE) $(wildcard tests/*.cu tests/*.cpp tests/cuda_on_cpu/*.cpp)
SHIM_OBJ    := $(patsubst %,$(BUILD)/shim/%.o,$(basename $(SHIM_ONCE) \
               $(foreach r,$(REALS),$(addprefix $(r)/,$(filter-out $(SHIM_ONCE),$(wildcard kernels/so/*.cu))))))
GPU_BENCH   := $(wildcard bench/gpu/*.cu)
SHIM_CFLAGS := -std=c++20 $(CFLAGS) -Wall -Wextra -Werror -Wno-psabi -Wno-unknown-pragmas -Wno-missing-field-initializers \
               -D_GNU_SOURCE -fopenmp -MMD -MP $(SANITIZE) -fno-math-errno -ffp-contract=off -Itests/cuda_on_cpu -I. -Ilibso
define SHIM # $(1) suffix, $(2) real or empty, $(3) folder, $(4) flags
$(BUILD)/$(3)/$(if $(2),$(2)/)%.o: %.$(1)
	@mkdir -p $$(@D)
	@echo "  c++ $(2) $(4) $$<"
	$(QUIET)$(CXX) $$(SHIM_CFLAGS) $(4) $(2:%=-DSO_REAL_%) -x c++ -c $$< -o $$@
endef
ASAN := -fsanitize=address
$(foreach suffix,cu cpp,$(foreach real,_ $(REALS),$(eval $(call SHIM,$(suffix),$(filter-out _,$(real)),shim))\
    $(eval $(call SHIM,$(suffix),$(filter-out _,$(real)),shim_asan,$(ASAN)))))
SHIM_ASAN_OBJ := $(SHIM_OBJ:$(BUILD)/shim/%=$(BUILD)/shim_asan/%)
$(call remember,shim_flags,$(CXX) $(SHIM_CFLAGS))
$(SHIM_OBJ) $(SHIM_ASAN_OBJ) $(GPU_BENCH:%.cu=$(BUILD)/shim/%.o): $(BUILD)/shim_flags
# ThreadSanitizer sees the kernels, whose threads are threads to it, and not what lets them take turns.
$(addprefix $(BUILD)/shim/tests/cuda_on_cpu/,block.o fiber.o): SHIM_CFLAGS += -fno-sanitize=thread

$(BUILD)/tests/suites.h: $(BUILD)/suites
	@mkdir -p $(@D)
	printf '$(foreach s,$(SUITES),SUITE($(basename $(notdir $(s))))\n)' > $@
$(BUILD)/tests/main.o: ALL_CFLAGS += -I$(BUILD)/tests
$(BUILD)/tests/main.o: $(BUILD)/tests/suites.h
FAILURES := calloc aligned_alloc $(ISAS:%=bidiagonal_svd_f64_%_single) # tests/failure.h
# The objects of the library, not the archive: some tests look inside. check_kernels_asan: with AddressSanitizer in the
# kernels alone.
$(BUILD)/tests/check: $(SHIM_OBJ)
$(BUILD)/tests/check_kernels_asan: $(SHIM_ASAN_OBJ)
$(BUILD)/tests/check $(BUILD)/tests/check_kernels_asan: $(TEST_OBJ) $(BENCH_OBJ) $(BUILD)/libharness.a $(LIBSO_OBJ)
	@echo "  ld $@"
	$(QUIET)$(CXX) $(SANITIZE) $(if $(filter %_asan,$@),$(ASAN)) -fopenmp $(FAILURES:%=-Wl,--wrap=%) $(filter %.o,$^) $(filter %.a,$^) \
	    $(HARNESS_LIBS) -lcheck -lsubunit -lrt -lpthread -lflint-arb -lflint $(LIBS) -o $@

# The benchmark of the GPU, on the shim: so that it is known to work before it meets a device.
$(GPU_BENCH:%.cu=$(BUILD)/shim/%.o): SHIM_CFLAGS += -DCOMMIT='"$(COMMIT)"'
$(GPU_BENCH:%.cu=$(BUILD)/shim/%.o): $(BUILD)/commit
SHIM_KERNELS := $(filter $(BUILD)/shim/kernels/% $(addsuffix /%,$(addprefix $(BUILD)/shim/,$(REALS))) $(BUILD)/shim/tests/cuda_on_cpu/%,$(SHIM_OBJ)) $(BUILD)/tests/failure.o
$(BUILD)/shim/gpu_sweep: $(GPU_BENCH:%.cu=$(BUILD)/shim/%.o) $(SHIM_KERNELS) $(BENCH_OBJ) $(LIBSO_OBJ)
	@echo "  ld $@"
	$(QUIET)$(CXX) $(SANITIZE) -fopenmp $(FAILURES:%=-Wl,--wrap=%) $^ $(LIBS) -o $@

JOBS         ?= $(shell nproc)
CHECK        := $(BUILD)/tests/check -j $(JOBS)
LIBSO_SUITES := $(patsubst tests/%.c,%,$(shell grep -lE 'so_ctx_create_cpu|test_context' $(filter %.c,$(SUITES))))
# Those that work in any context; on the shim at few orders, since there every thread of a kernel costs context switches.
CUDA_SUITES  := $(patsubst tests/%.c,%,$(shell grep -l test_context $(filter %.c,$(SUITES))))
ON_SHIM      := SO_TEST_DEVICE=cuda SO_TEST_DEPTH=short
FEW_ORDERS   := SO_TEST_N=1,2,3,4,5,8,9,16,17,33,65
# Of these large orders cost little: they have all, where others have few.
ALL_ORDERS   := check_logarithm check_project

RESULTS ?= runs/bench
# What needs packages installs them first, then starts make anew: with -j the two would run at once.
prove bench bench-peers: deps
	@$(MAKE) --no-print-directory run-$@
run-bench: $(BUILD)/bench/expm_sweep
	@mkdir -p $(RESULTS)
	$< --csv $(RESULTS)/expm_sweep.csv --plot $(RESULTS)
	$< --in-cache --methods auto --n 8,16,32,64,128 --norm 1,30,wigner,pencil --csv $(RESULTS)/in_cache.csv

# Peers may use all of this machine, or what SO_ISA=avx2 leaves to libso.
PEER_FLAGS  := -O3 -march=$(if $(filter avx2,$(SO_ISA)),x86-64-v3,native)
PEER_PYTHON ?= $(or $(wildcard build/peers/venv/bin/python),python3)
EIGEN       := $(and $(wildcard /usr/include/eigen3/unsupported/Eigen/MatrixFunctions),$(shell command -v $(CXX) 2>/dev/null),$(BUILD)/bench/peers/eigen)
$(call remember,peer_flags,$(PEER_FLAGS))
$(BUILD)/bench/peers/lapacke.o: ALL_CFLAGS += $(PEER_FLAGS)
$(BUILD)/bench/peers/lapacke.o $(BUILD)/bench/peers/eigen: $(BUILD)/peer_flags
$(BUILD)/bench/peers/eigen: bench/peers/eigen.cpp bench/peers/peer.h $(BUILD)/bench/peers/peer.o $(BUILD)/bench/npy.o
	@echo "  c++ $@"
	$(QUIET)$(CXX) -std=c++17 $(PEER_FLAGS) -DNDEBUG -fopenmp $(SANITIZE) -I. -isystem /usr/include/eigen3 $(filter-out %.h %flags,$^) -o $@
run-bench-peers: $(BUILD)/bench/peers/peer_ratios $(BUILD)/bench/peers/lapacke $(EIGEN)
	@mkdir -p $(RESULTS)
	$< --python $(PEER_PYTHON) --csv $(RESULTS)/peers.csv --table $(RESULTS)/peers.txt --plot $(RESULTS) $(PEER_OPTIONS)

include tests/gpu/gpu.mk

# CUDA_SUITES on the shim; then every kernel with threads and blocks in other orders, once with AddressSanitizer in the kernels.
# Of what takes minutes there the kernels are held by shorter suites: check_cuda_encode, _exp, _graph, _vendor, _on_cpu. The longest
# first, so that no processor waits for the last.
LONGEST      := check_cuda_graph check_cuda_encode check_cuda_vendor_faults
OTHER_ORDERS := $(LONGEST) $(filter-out $(LONGEST) check_encode check_exp check_exp_batch check_exp_vjp check_f64_inside check_pade, \
                    $(sort $(CUDA_SUITES) $(basename $(notdir $(filter tests/check_cuda_%,$(SUITES))))))
WITH_ASAN    := $(BUILD)/tests/check$(if $(SANITIZE),,_kernels_asan)
define other_order # $(1) schedule, $(2) program
	$(ON_SHIM) CUDA_ON_CPU_SCHEDULE=$(1) SO_TEST_N=3,5,16,17,33 $(2) -j $(JOBS) $(filter-out $(ALL_ORDERS),$(OTHER_ORDERS))
	$(ON_SHIM) CUDA_ON_CPU_SCHEDULE=$(1) $(2) -j $(JOBS) $(ALL_ORDERS)
	$(ON_SHIM) CUDA_ON_CPU_SCHEDULE=$(1) SO_TEST_N=48,65 $(2) -j $(JOBS) check_cuda_exp
endef
check-shim: $(BUILD)/tests/check $(WITH_ASAN)
	$(ON_SHIM) $(FEW_ORDERS) $(CHECK) $(filter-out $(ALL_ORDERS),$(CUDA_SUITES))
	$(ON_SHIM) $(CHECK) $(ALL_ORDERS)
	$(call other_order,backward,$(WITH_ASAN))
	$(call other_order,1,$(BUILD)/tests/check)

run-prove: $(PROOFS)
	@for p in $(PROOFS); do echo "== $$p"; $$p || exit 1; done

layering:
	@tests/layering.sh
# Every mutation has its text once in its file.
mutant-list:
	@rm -rf $(BUILD)/mutant-list && mkdir -p $(BUILD)/mutant-list
	@awk -v list=$(BUILD)/mutant-list -f tests/mutants.awk tests/mutants.txt
readme: lib
	@BUILD=$(BUILD) CC="$(CC)" SANITIZE="$(SANITIZE)" tests/readme_example.sh
check-install: lib
	@BUILD=$(BUILD) CC="$(CC)" CXX="$(CXX)" CFLAGS="$(CFLAGS)" SANITIZE="$(SANITIZE)" VERSION=$(VERSION) tests/install.sh

# The copy of libso/cpu that this machine uses. Enough where the instruction set is not what is tested.
with    = $(if $(shell grep -m1 -w $(1) /proc/cpuinfo),$(2))
WIDEST  = $(or $(call with,avx512vl,avx512),$(call with,avx2,avx2),$(call with,asimd,neon),portable)
check: deps
	@$(MAKE) --no-print-directory cuda $(GPU_PROGRAMS)
	@$(MAKE) --no-print-directory run-checks
# run-prove early: its last proof is one thread, beside which other processors compile. The main run is in the machine's widest
# instruction set, or in that of SO_ISA.
run-checks: run-prove all layering mutant-list readme check-install $(BUILD)/tests/check $(WITH_ASAN) $(BUILD)/shim/gpu_sweep
	data=$$(tests/real_data.sh $(BUILD)) && BUILD=$(BUILD) SO_DATA="$$data" $(CHECK)
	for isa in $(filter-out $(or $(SO_ISA),$(WIDEST)),$(ISAS)); do \
	    SO_ISA=$$isa SO_TEST_DEPTH=short $(CHECK) $(filter-out check_cuda_%,$(LIBSO_SUITES)) || [ $$? = 77 ] || exit 1; done
	@$(MAKE) --no-print-directory check-shim
check-asan: deps
	@CK_TIMEOUT_MULTIPLIER=10 $(MAKE) --no-print-directory run-checks BUILD=$(BUILD)/asan CFLAGS="-O1 -g" KERNEL_OPT=-O1 \
	    SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
# Counts are added to files by all processes. -O1: what the optimiser removes cannot be counted. With -fopenmp counts would be
# atomic, at a tenth of the speed; a single thread loses none without that.
coverage: deps
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage CFLAGS="-O1 -g" KERNEL_OPT=-O1 \
	    SANITIZE="--coverage -fprofile-update=single" $(BUILD)/coverage/tests/check
	@find $(BUILD)/coverage -name '*.gcda' -delete
	CK_FORK=no OMP_THREAD_LIMIT=1 $(BUILD)/coverage/tests/check -j $(JOBS) $(LIBSO_SUITES)
	@tests/coverage.sh $(BUILD)/coverage 98
check-tsan:
	@PACKAGES=libomp-dev ./.ci/deps
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/tsan CFLAGS="-O1 -g" KERNEL_OPT=-O1 ISAS=$(WIDEST) SANITIZE=-fsanitize=thread \
	    $(BUILD)/tsan/tests/check
	SO_TEST_DEPTH=short CC=$(CC) JOBS=$(JOBS) tests/tsan.sh $(BUILD)/tsan check_loader check_cuda_runtime $(LIBSO_SUITES)
	$(ON_SHIM) SO_TEST_N=3,5,16,17,33 CC=$(CC) JOBS=$(JOBS) tests/tsan.sh $(BUILD)/tsan check_cayley check_cayley_inverse check_pack \
	    check_cuda_asynchronous check_cuda_closed_form check_cuda_encode check_cuda_exp check_cuda_rotate
check-valgrind:
	@PACKAGES=valgrind ./.ci/deps
	@$(MAKE) --no-print-directory $(BUILD)/tests/check
	SO_TEST_DEPTH=short OMP_WAIT_POLICY=passive CK_FORK=no valgrind -q --error-exitcode=1 --leak-check=full \
	    --show-leak-kinds=definite --errors-for-leak-kinds=definite $(CHECK) check_api check_failures check_cayley check_pack check_rotate
# For AArch64 in the folder BUILD/neon, on the least of its processors: an instruction beyond the baseline ends the program.
# Without the suites that always work on the shim: its fibers take turns by system calls there, and the kernels are the same.
ARM64         = aarch64-linux-gnu
ARM64_SYSROOT = $(abspath $(BUILD))/neon/sysroot
check-neon:
	@PACKAGES='g++-$(ARM64) qemu-user' ./.ci/deps
	@tests/neon.sh $(ARM64_SYSROOT)
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/neon CC='$(ARM64)-gcc --sysroot=$(ARM64_SYSROOT)' \
	    CXX='$(ARM64)-g++ --sysroot=$(ARM64_SYSROOT)' AR=$(ARM64)-ar OBJCOPY=$(ARM64)-objcopy lib $(BUILD)/neon/tests/check
	check='qemu-aarch64 -cpu cortex-a57 -L $(ARM64_SYSROOT) $(BUILD)/neon/tests/check -j $(JOBS)'; \
	export SO_TEST_DEPTH=short OMP_WAIT_POLICY=passive CK_TIMEOUT_MULTIPLIER=10; \
	for isa in portable neon; do export SO_ISA=$$isa; \
	    $(FEW_ORDERS) $$check $(filter-out check_cuda_% $(ALL_ORDERS),$(LIBSO_SUITES)) && $$check $(ALL_ORDERS) || exit 1; done
# make mutants ONLY=pack: only the mutations of files whose name contains it
mutants: deps
	@tests/mutants.sh $(BUILD)/mutants $(JOBS) $(WIDEST) $(ONLY)

deps:
	@./.ci/deps

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' -type f 2>/dev/null)
