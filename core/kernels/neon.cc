// NEON, which every 64-bit ARM processor has.
#include "kernels/arm.h"
#include "kernels/sets.h"
#include "kernels/simd.h"

namespace translucent {
namespace {

struct Neon : RegistersNeon<Neon> {
  static constexpr int kAccumulators = 8;
  static constexpr int kMaxVectors = 4;
  static constexpr int kMaxRows = 4;

  /// Each half holds two outputs, and of each output the sums of even and of odd pairs of columns.
  struct Accumulator {
    int32x4_t low, high;
  };

  static Accumulator Zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
  static Accumulator MultiplyAdd(Accumulator sums, int8x16_t weights, int8x16_t values) {
    return {vpadalq_s16(sums.low, vmull_s8(vget_low_s8(weights), vget_low_s8(values))),
            vpadalq_s16(sums.high, vmull_high_s8(weights, values))};
  }
  static Ints Total(Accumulator sums) { return vpaddq_s32(sums.low, sums.high); }
};

}  // namespace

constinit const Kernels kNeonKernels = MakeKernels<Neon>("neon");

}  // namespace translucent
