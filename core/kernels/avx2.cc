// AVX2 with FMA.
#include "kernels/sets.h"
#include "kernels/simd.h"
#include "kernels/x86.h"

namespace translucent {
namespace {

struct Avx2 : Registers256<Avx2> {
  /// Products of weights up to 127 with activations down to -127: pairs of them fit 16 bits.
  static __m256i MultiplyAdd(__m256i sums, __m256i weights, __m256i values) {
    const __m256i pairs = _mm256_maddubs_epi16(weights, values);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace

constinit const Kernels kAvx2Kernels = MakeKernels<Avx2>("avx2");

}  // namespace translucent
