// WebAssembly relaxed SIMD: the dot product of bytes, whose second factor must lie in 0..127 for
// all engines to agree; that is what packed weights do. Of its f32 instructions none is used:
// engines round relaxed_madd differently, and translations should not depend on the engine.
#include "kernels/sets.h"
#include "kernels/simd.h"
#include "kernels/wasm.h"

namespace translucent {
namespace {

/// There is one instruction for all of MultiplyAdd, relaxed_dot_i8x16_i7x16_add: a single one of
/// ARM and of x86 with AVX-VNNI too, but a slower sequence elsewhere (here 40 against 50 GMAC/s),
/// which Node 20 gets wrong: sums of small products differed from the definition, as the tests
/// showed. A module cannot ask which of them an engine uses, so it is left alone.
struct WasmRelaxed : Registers128<WasmRelaxed> {
  static constexpr int kAccumulators = 8;
  static constexpr int kMaxVectors = 8;
  static constexpr int kMaxRows = 4;

  static constexpr int kMaxColumns = kMostColumns;
  using Value = std::int8_t;
  using Weights = v128_t;
  using Activations = v128_t;
  using Accumulator = v128_t;

  static v128_t LoadWeights(const std::uint8_t* p) { return wasm_v128_load(p); }
  static v128_t Broadcast(const std::int8_t* p) { return wasm_v128_load32_splat(p); }
  static v128_t Zero() { return wasm_i32x4_const_splat(0); }
  using Pairs = v128_t;
  static v128_t Multiply(v128_t weights, v128_t values) {
    return wasm_i16x8_relaxed_dot_i8x16_i7x16(values, weights);
  }
  static v128_t Add(v128_t a, v128_t b) { return wasm_i16x8_add(a, b); }
  static v128_t Widen(v128_t sums, v128_t pairs) {
    return wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(pairs, wasm_i16x8_const_splat(1)));
  }
  static v128_t MultiplyAdd(v128_t sums, v128_t weights, v128_t values) {
    return Widen(sums, Multiply(weights, values));
  }
  static Bytes Lookup(Bytes table, Bytes indices) {
    return wasm_i8x16_relaxed_swizzle(table, indices);
  }
  static Ints Total(v128_t sums) { return sums; }
};

}  // namespace

constinit const Kernels kWasmRelaxedKernels = MakeKernels<WasmRelaxed>("wasm-relaxed");

}  // namespace translucent
