# gpu.mk: what runs on a GPU, and the bundle that takes it there. Included by the Makefile.
# The bundle holds the tests, the benchmark and the libraries they need but for CUDA's own: it runs where nothing is installed
# but a driver (for eigen and Pade cuSOLVER and cuBLAS too). Kernels for CUDA_ARCHS and, as PTX of the newest, for later devices.

GPU        := $(BUILD)/gpu-bundle
# Suites that any context serves, and those of CUDA that do not look into the shim.
GPU_SUITES := $(CUDA_SUITES) $(notdir $(basename $(shell grep -L cuda_on_cpu $(wildcard $(addprefix tests/check_cuda_*,.c .cpp .cu)) /dev/null | grep -v /dev/null)))
GPU_TESTS  := $(patsubst %,$(BUILD)/tests/%.o,$(filter $(GPU_SUITES),$(notdir $(basename $(wildcard tests/check_*.c))))) \
              $(patsubst %,$(BUILD)/cuda/tests/%.o,$(filter $(GPU_SUITES),$(notdir $(basename $(wildcard tests/check_*.cpp tests/check_*.cu))))) \
              $(filter-out $(addprefix $(BUILD)/tests/,main.o oracle_arb.o check_%),$(TEST_OBJ)) $(BUILD)/cuda/tests/cuda_context.o \
              $(BUILD)/cuda/tests/main.o
GPU_RPATH  := -Wl,--disable-new-dtags,-rpath,'$$ORIGIN/../lib' -Wl,--as-needed

$(call remember,gpu_suites,$(GPU_SUITES))
$(BUILD)/cuda/tests/suites.h: $(BUILD)/gpu_suites
	@mkdir -p $(@D)
	printf '$(foreach s,$(GPU_SUITES),SUITE($(s))\n)' > $@
$(BUILD)/cuda/tests/main.o: tests/main.c $(BUILD)/cuda/tests/suites.h
	@echo "  cc $< for the GPU"
	$(QUIET)$(CC) $(ALL_CFLAGS) -I$(BUILD)/cuda/tests -c $< -o $@
$(BUILD)/cuda/tests/%.o: tests/%.cpp
	@mkdir -p $(@D)
	@echo "  c++ $< for the GPU"
	$(QUIET)$(CXX) $(filter-out -Itests/cuda_on_cpu,$(SHIM_CFLAGS)) -isystem $(CUDA_HOME)/include -c $< -o $@
$(GPU_BENCH:%.cu=$(BUILD)/cuda/%.o): NVCC_FLAGS += -I. -Ilibso -D_GNU_SOURCE -DCOMMIT='"$(COMMIT)"'
$(GPU_BENCH:%.cu=$(BUILD)/cuda/%.o): $(BUILD)/nvcc_flags $(BUILD)/commit
$(BUILD)/cuda/check: $(GPU_TESTS) $(BENCH_OBJ) $(BUILD)/libharness.a $(LIBSO_OBJ) $(BUILD)/$(CUDA_SHARED) $(BUILD)/$(SHARED)
	@echo "  ld $@"
	$(QUIET)$(CXX) -fopenmp $(FAILURES:%=-Wl,--wrap=%) $(GPU_RPATH) $^ $(HARNESS_LIBS) -l:libcheck.a -l:libsubunit.a \
	    $(LIBS) -L$(CUDA_HOME)/lib64 -lcudart_static -o $@
$(BUILD)/cuda/gpu_sweep: $(GPU_BENCH:%.cu=$(BUILD)/cuda/%.o) $(BENCH_OBJ) $(BUILD)/$(CUDA_SHARED) $(BUILD)/$(SHARED)
	@echo "  ld $@"
	$(QUIET)$(CXX) -fopenmp $(GPU_RPATH) $^ $(LIBS) -L$(CUDA_HOME)/lib64 -lcudart_static -o $@

# The libraries of the bundle find theirs beside them, also when a program that is not of the bundle loads them: by DT_RPATH, which
# holds for what these need in turn.
GPU_LIBRARIES := $(addprefix $(BUILD)/cuda/lib/,$(SONAME) $(CUDA_SONAME))
$(GPU_LIBRARIES): BESIDE := -Wl,--disable-new-dtags,-rpath,'$$ORIGIN'
$(BUILD)/cuda/lib/$(SONAME): $(BUILD)/$(SHARED)
	@mkdir -p $(@D)
	$(QUIET)$(LINK_SHARED) $(BESIDE) -o $@
$(BUILD)/cuda/lib/$(CUDA_SONAME): $(BUILD)/$(CUDA_SHARED)
	@mkdir -p $(@D)
	$(QUIET)$(LINK_CUDA) $(BESIDE) -o $@

# What only a GPU can run; `make check` compiles it.
GPU_PROGRAMS := $(if $(NVCC),$(BUILD)/cuda/check $(BUILD)/cuda/gpu_sweep)

LAUNCHES := _ZN11cuda_on_cpu6launchEPK19cudaLaunchConfig_stPKvSt8functionIFvvEE \
            _ZN11cuda_on_cpu7enqueueEP11CUstream_stSt8functionIFvvEE
$(BUILD)/shim/launches: $(BUILD)/shim/tests/gpu/launches.o $(SHIM_KERNELS) $(LIBSO_OBJ)
	@echo "  ld $@"
	$(QUIET)$(CXX) $(SANITIZE) -fopenmp $(FAILURES:%=-Wl,--wrap=%) $(LAUNCHES:%=-Wl,--wrap=%) $^ $(LIBS) -o $@

ifneq ($(NVCC),)
kernel-report: $(BUILD)/shim/launches $(CUDA_OBJ)
	NVCC=$(NVCC) tests/gpu/kernel_report.sh $< $(patsubst %.o,%.ptxas,$(filter $(BUILD)/cuda/%,$(CUDA_OBJ))) > $(BUILD)/registers.md
	@cp $(BUILD)/registers.md kernels/REGISTERS.md
gpu-bundle: $(GPU_PROGRAMS) $(GPU_LIBRARIES)
	@tests/gpu/bundle.sh $(GPU) '$(COMMIT)' $^
check-gpu: gpu-bundle
	$(GPU)/run check
	$(GPU)/run sanitize
bench-gpu: gpu-bundle
	PYTHON=$(PEER_PYTHON) $(GPU)/run bench $(or $(GPU_RESULTS),runs/bench-gpu)
else
kernel-report gpu-bundle check-gpu bench-gpu:
	@echo "make $@: no nvcc on the PATH or in /usr/local/cuda/bin" >&2; exit 1
endif
