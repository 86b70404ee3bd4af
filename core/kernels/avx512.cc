// AVX-512 as of its first servers, without VNNI.

// GCC 12 takes the deliberately undefined operands inside its own intrinsics for mistakes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "kernels/sets.h"
#include "kernels/simd.h"
#include "kernels/x86.h"

namespace translucent {
namespace {

struct Avx512 : Registers512<Avx512> {
  /// As in avx2.cc.
  static __m512i MultiplyAdd(__m512i sums, __m512i weights, __m512i values) {
    const __m512i pairs = _mm512_maddubs_epi16(weights, values);
    return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
};

}  // namespace

constinit const Kernels kAvx512Kernels = MakeKernels<Avx512>("avx512");

}  // namespace translucent
