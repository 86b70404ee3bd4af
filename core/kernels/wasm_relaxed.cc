// WebAssembly relaxed SIMD: the dot product of bytes, whose second factor must lie in 0..127 for
// all engines to agree; that is what packed weights do. Of its f32 instructions none is used:
// engines round relaxed_madd differently, and translations should not depend on the engine.
#include "kernels/sets.h"
#include "kernels/simd.h"
#include "kernels/wasm.h"

namespace translucent {
namespace {

template <class Tag>
struct RelaxedRegisters : Registers128<Tag> {
  static constexpr int kAccumulators = 8;
  static constexpr int kMaxVectors = 4;
  static constexpr int kMaxRows = 4;

  using Value = std::int8_t;
  using Weights = v128_t;
  using Activations = v128_t;
  using Accumulator = v128_t;

  static v128_t LoadWeights(const std::uint8_t* p) { return wasm_v128_load(p); }
  static v128_t Broadcast(const std::int8_t* p) { return wasm_v128_load32_splat(p); }
  static v128_t Zero() { return wasm_i32x4_const_splat(0); }
  static typename Registers128<Tag>::Ints Total(v128_t sums) { return sums; }
};

/// Two instructions of x86 before VNNI: the faster way there.
struct WasmRelaxedPairs : RelaxedRegisters<WasmRelaxedPairs> {
  static v128_t MultiplyAdd(v128_t sums, v128_t weights, v128_t values) {
    const v128_t pairs = wasm_i16x8_relaxed_dot_i8x16_i7x16(values, weights);
    return wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(pairs, wasm_i16x8_const_splat(1)));
  }
};

/// One instruction of ARM, and of x86 with AVX-VNNI.
struct WasmRelaxedFours : RelaxedRegisters<WasmRelaxedFours> {
  static v128_t MultiplyAdd(v128_t sums, v128_t weights, v128_t values) {
    return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(values, weights, sums);
  }
};

}  // namespace

constinit const Kernels kWasmRelaxedKernels = MakeKernels<WasmRelaxedPairs>("wasm-relaxed");
constinit const Kernels kWasmRelaxedDotKernels = MakeKernels<WasmRelaxedFours>("wasm-relaxed-dot");

}  // namespace translucent
