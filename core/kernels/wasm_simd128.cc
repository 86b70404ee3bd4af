// WebAssembly simd128: vectors of 4 floats, which engines keep in 16 registers.
#include <wasm_simd128.h>

#include "kernels/sets.h"
#include "kernels/simd.h"

namespace translucent {
namespace {

struct WasmSimd128 {
  using Arch = xsimd::wasm;
  static constexpr int kTileRows = 2;
  static constexpr int kTileOutputs = 4;
  static xsimd::batch<float, Arch> LoadInt8(const std::int8_t* p) {
    const v128_t bytes = wasm_v128_load32_zero(p);
    return wasm_f32x4_convert_i32x4(
        wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(bytes)));
  }
};

}  // namespace

constinit const Kernels kWasmSimd128Kernels = MakeKernels<WasmSimd128>("wasm-simd128");

}  // namespace translucent
