// AVX-512: 32 registers of 16 floats.

// GCC 12 takes the deliberately undefined operands inside its own intrinsics for mistakes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include "kernels/sets.h"
#include "kernels/simd.h"

namespace translucent {
namespace {

struct Avx512 {
  using Arch = xsimd::avx512f;
  static constexpr int kTileRows = 4;
  static constexpr int kTileOutputs = 4;
  static xsimd::batch<float, Arch> LoadInt8(const std::int8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
  }
};

}  // namespace

constinit const Kernels kAvx512Kernels = MakeKernels<Avx512>("avx512");

}  // namespace translucent
