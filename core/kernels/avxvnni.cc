// AVX2 with AVX-VNNI: one instruction for four products a lane.
#include "kernels/sets.h"
#include "kernels/simd.h"
#include "kernels/x86.h"

namespace translucent {
namespace {

struct AvxVnni : Registers256<AvxVnni> {
  static __m256i MultiplyAdd(__m256i sums, __m256i weights, __m256i values) {
    return _mm256_dpbusd_avx_epi32(sums, weights, values);
  }
};

}  // namespace

constinit const Kernels kAvxVnniKernels = MakeKernels<AvxVnni>("avx-vnni");

}  // namespace translucent
