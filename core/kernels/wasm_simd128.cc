// WebAssembly simd128.
#include "kernels/sets.h"
#include "kernels/simd.h"
#include "kernels/wasm.h"

namespace translucent {
namespace {

/// For want of a product of bytes those of 16 bits are used. The weights w0, w1 of two columns lie
/// in 16 bits as w0 + 256 w1, and need not be taken apart: with the activations x0, x1
///
///   256 (x0 w0 + x1 w1) = x1 (w0 + 256 w1) + (256 x0 - x1) w0.
struct WasmSimd128 : Registers128<WasmSimd128> {
  static constexpr int kAccumulators = 8;
  static constexpr int kMaxVectors = 4;
  static constexpr int kMaxRows = 4;
  static constexpr int kMaxColumns = 512;  // 512 * 127 * 127 * 256 < 2^31

  struct Pair {
    v128_t both, even;  // weights: w0 + 256 w1, w0; activations: x1, 256 x0 - x1
  };
  using Value = std::int16_t;
  using Weights = Pair;
  using Activations = Pair;
  using Accumulator = v128_t;

  static void Arrange(const std::int8_t* x, std::int16_t* out) {
    out[0] = x[1];
    out[1] = x[3];
    out[2] = static_cast<std::int16_t>(256 * x[0] - x[1]);
    out[3] = static_cast<std::int16_t>(256 * x[2] - x[3]);
  }
  static Pair LoadWeights(const std::uint8_t* p) {
    const v128_t both = wasm_v128_load(p);
    return {both, wasm_v128_and(both, wasm_i16x8_const_splat(0xFF))};
  }
  static Pair Broadcast(const std::int16_t* p) {
    return {wasm_v128_load32_splat(p), wasm_v128_load32_splat(p + 2)};
  }
  static v128_t Zero() { return wasm_i32x4_const_splat(0); }
  static v128_t MultiplyAdd(v128_t sums, Pair weights, Pair values) {
    sums = wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(weights.both, values.both));
    return wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(weights.even, values.even));
  }
  static Bytes Lookup(Bytes table, Bytes indices) { return wasm_i8x16_swizzle(table, indices); }
  static Ints Total(v128_t sums) { return wasm_i32x4_shr(sums, 8); }
};

}  // namespace

constinit const Kernels kWasmSimd128Kernels = MakeKernels<WasmSimd128>("wasm-simd128");

}  // namespace translucent
