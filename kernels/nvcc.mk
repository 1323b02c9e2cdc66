# nvcc.mk: libso_cuda: kernels/so by nvcc. Included by the Makefile.
# What has no real type once, every other file once per real type. A spill is an error.

NVCC       ?= $(firstword $(shell command -v nvcc 2>/dev/null) $(wildcard /usr/local/cuda/bin/nvcc))
CUDA_HOME  ?= $(patsubst %/bin/nvcc,%,$(realpath $(shell command -v $(NVCC))))
CUDA_ARCHS ?= 80 90
NEWEST     := $(lastword $(CUDA_ARCHS))
NVCC_FLAGS := -std=c++20 -O3 $(foreach a,$(CUDA_ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) \
              -gencode arch=compute_$(NEWEST),code=compute_$(NEWEST) -Werror all-warnings -Xptxas -v,-warn-spills \
              -Xcompiler -Wall,-Wextra,-Werror,-Wno-missing-field-initializers,-fPIC,-fvisibility=hidden,-fno-exceptions,-fno-rtti
CUDA_ONCE  := kernels/so/context.cu kernels/so/convert.cu
CUDA_OBJ   := $(CUDA_ONCE:%.cu=$(BUILD)/cuda/%.o) $(BUILD)/libso/workspace.o \
              $(foreach r,$(REALS),$(patsubst %.cu,$(BUILD)/cuda/$(r)/%.o,$(filter-out $(CUDA_ONCE),$(sort $(wildcard kernels/so/*.cu)))))
# The runtime is linked statically, cuSOLVER and cuBLAS are loaded when needed (vendor.cuh), so that none need be installed.
CUDA_LINK  := -L$(CUDA_HOME)/lib64 -lcudart_static -lstdc++ -ldl -lrt -lpthread
CUDA_SONAME := $(subst libso,libso_cuda,$(SONAME))
CUDA_SHARED := $(subst libso,libso_cuda,$(SHARED))

# What ptxas says (kernel-report reads it) stays beside the object; it is shown if the compilation fails.
define NVCC_RULE # $(1) real or empty
$(BUILD)/cuda/$(if $(1),$(1)/)%.o: %.cu
	@mkdir -p $$(@D)
	@echo "  nvcc $(1) $$<"
	$(QUIET)$(NVCC) $$(NVCC_FLAGS) $(if $(1),-DSO_REAL_$(1)) -MD -MP -MF $$(@:.o=.d) -c $$< -o $$@ > $$(@:.o=.ptxas) 2>&1 || \
	    { grep -v '^ptxas info\|bytes stack frame' $$(@:.o=.ptxas); exit 1; }
endef
$(foreach r,_ $(REALS),$(eval $(call NVCC_RULE,$(filter-out _,$(r)))))
$(call remember,nvcc_flags,$(NVCC) $(NVCC_FLAGS))
$(call remember,cuda_objects,$(CUDA_OBJ) $(CUDA_LINK))
$(filter $(BUILD)/cuda/%,$(CUDA_OBJ)): $(BUILD)/nvcc_flags

ifneq ($(NVCC),)
cuda: $(BUILD)/libso_cuda.a $(BUILD)/$(CUDA_SHARED)
else
cuda:
	@echo "make: no nvcc on the PATH or in /usr/local/cuda/bin: built without libso_cuda"
endif
$(BUILD)/libso_cuda.o: $(CUDA_OBJ) $(BUILD)/cuda_objects
	$(QUIET)$(CC) -r -nostdlib $(CUDA_OBJ) -o $@ && $(OBJCOPY) --localize-hidden $@
$(BUILD)/libso_cuda.a: $(BUILD)/libso_cuda.o
	@echo "  ar $@"
	$(QUIET)rm -f $@ && $(AR) rcsD $@ $<
LINK_CUDA = $(CC) $(LDFLAGS) -shared -Wl,-soname,$(CUDA_SONAME) -Wl,-z,defs -Wl,--exclude-libs,ALL $(CUDA_OBJ) \
            -Wl,--no-as-needed $(BUILD)/$(SHARED) -Wl,--as-needed $(CUDA_LINK)
$(BUILD)/$(CUDA_SHARED): $(CUDA_OBJ) $(BUILD)/cuda_objects $(BUILD)/$(SHARED)
	@echo "  ld $@"
	$(QUIET)$(LINK_CUDA) -o $@
