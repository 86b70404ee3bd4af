// AVX2 with FMA: 16 registers of 8 floats.
#include <immintrin.h>

#include "kernels/sets.h"
#include "kernels/simd.h"

namespace translucent {
namespace {

struct Avx2 {
  using Arch = xsimd::fma3<xsimd::avx2>;
  static constexpr int kTileRows = 2;
  static constexpr int kTileOutputs = 4;
  static xsimd::batch<float, Arch> LoadInt8(const std::int8_t* p) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
  }
};

}  // namespace

constinit const Kernels kAvx2Kernels = MakeKernels<Avx2>("avx2");

}  // namespace translucent
