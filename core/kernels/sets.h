// The kernel sets, one per instruction set; which of them exist depends on the target.
#pragma once

#include "kernels/kernels.h"

namespace translucent {

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvxVnniKernels;
extern const Kernels kAvx512Kernels;
extern const Kernels kAvx512VnniKernels;
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
extern const Kernels kNeonDotKernels;
#elif defined(__wasm_relaxed_simd__)
extern const Kernels kWasmRelaxedKernels;
#elif defined(__wasm_simd128__)
extern const Kernels kWasmSimd128Kernels;
#endif

}  // namespace translucent
