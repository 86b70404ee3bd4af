// AVX-512 with VNNI: one instruction for four products a lane.

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

struct Avx512Vnni : Registers512<Avx512Vnni> {
  static __m512i MultiplyAdd(__m512i sums, __m512i weights, __m512i values) {
    return _mm512_dpbusd_epi32(sums, weights, values);
  }
};

}  // namespace

constinit const Kernels kAvx512VnniKernels = MakeKernels<Avx512Vnni>("avx512-vnni");

}  // namespace translucent
