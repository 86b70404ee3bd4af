// WebAssembly simd128: bytes are widened to 16 bits, for want of a product of bytes.
#include "kernels/sets.h"
#include "kernels/simd.h"
#include "kernels/wasm.h"

namespace translucent {
namespace {

struct WasmSimd128 : Registers128<WasmSimd128> {
  static constexpr int kAccumulators = 4;
  static constexpr int kMaxVectors = 4;
  static constexpr int kMaxRows = 4;

  /// Each half holds two outputs, and of each output the sums of even and of odd pairs of columns.
  struct Halves {
    v128_t low, high;
  };
  using Value = std::int16_t;
  using Weights = Halves;
  using Activations = v128_t;
  using Accumulator = Halves;

  static Halves LoadWeights(const std::uint8_t* p) {
    return {wasm_u16x8_load8x8(p), wasm_u16x8_load8x8(p + 8)};
  }
  static v128_t Broadcast(const std::int16_t* p) { return wasm_v128_load64_splat(p); }
  static Halves Zero() { return {wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)}; }
  static Halves MultiplyAdd(Halves sums, Halves weights, v128_t values) {
    return {wasm_i32x4_add(sums.low, wasm_i32x4_dot_i16x8(weights.low, values)),
            wasm_i32x4_add(sums.high, wasm_i32x4_dot_i16x8(weights.high, values))};
  }
  static Ints Total(Halves sums) {
    return wasm_i32x4_add(wasm_i32x4_shuffle(sums.low, sums.high, 0, 2, 4, 6),
                          wasm_i32x4_shuffle(sums.low, sums.high, 1, 3, 5, 7));
  }
};

}  // namespace

constinit const Kernels kWasmSimd128Kernels = MakeKernels<WasmSimd128>("wasm-simd128");

}  // namespace translucent
