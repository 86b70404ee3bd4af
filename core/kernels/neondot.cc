// NEON with the dot product of bytes: ARMv8.2 with FEAT_DotProd, the rule since 2018.
#include "kernels/arm.h"
#include "kernels/sets.h"
#include "kernels/simd.h"

namespace translucent {
namespace {

struct NeonDot : RegistersNeon<NeonDot> {
  static constexpr int kAccumulators = 16;
  static constexpr int kMaxVectors = 8;
  static constexpr int kMaxRows = 4;
  using Accumulator = int32x4_t;

  static int32x4_t Zero() { return vdupq_n_s32(0); }
  static int32x4_t MultiplyAdd(int32x4_t sums, int8x16_t weights, int8x16_t values) {
    return vdotq_s32(sums, weights, values);
  }
  static Ints Total(int32x4_t sums) { return sums; }
};

}  // namespace

constinit const Kernels kNeonDotKernels = MakeKernels<NeonDot>("neon-dot");

}  // namespace translucent
