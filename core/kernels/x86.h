// What the x86 kernel files share: each passes a tag of its own, so that no two files instantiate
// the same code with different instruction set flags.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

namespace translucent {

/// 16 registers of 8 floats; the members of an Isa but for MultiplyAdd.
template <class Tag>
struct Registers256 {
  using Arch = xsimd::fma3<xsimd::avx2>;
  using Ints = xsimd::batch<std::int32_t, Arch>;
  using Weights = __m256i;
  using Activations = __m256i;
  using Accumulator = __m256i;

  static constexpr int kTileRows = 2;
  static constexpr int kTileOutputs = 4;
  static constexpr int kAccumulators = 8;
  static constexpr int kMaxVectors = 8;
  static constexpr int kMaxRows = 4;

  static __m256i LoadWeights(const std::uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static __m256i Broadcast(const std::int8_t* p) {
    std::int32_t four;
    std::memcpy(&four, p, sizeof four);
    return _mm256_set1_epi32(four);
  }
  static __m256i Zero() { return _mm256_setzero_si256(); }
  static Ints Total(__m256i sums) { return sums; }
  static void StoreBytes(Ints v, std::int8_t* p) {
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }
};

#if defined(__AVX512BW__)
/// 32 registers of 16 floats.
template <class Tag>
struct Registers512 {
  using Arch = xsimd::avx512bw;
  using Ints = xsimd::batch<std::int32_t, Arch>;
  using Weights = __m512i;
  using Activations = __m512i;
  using Accumulator = __m512i;

  static constexpr int kTileRows = 4;
  static constexpr int kTileOutputs = 4;
  static constexpr int kAccumulators = 16;
  static constexpr int kMaxVectors = 8;
  static constexpr int kMaxRows = 8;

  /// Element i is the sum of rows[i], added as reduce_add does; xsimd 13's haddp puts some of the
  /// 16 in each other's places.
  static xsimd::batch<float, Arch> HorizontalSums(const xsimd::batch<float, Arch>* rows) {
    const auto neighbours = [](__m512 a, __m512 b) {  // of lanes of 128 bits: a, a, b, b
      return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
    };
    __m512 quarters[4];  // one lane each of rows i, 4 + i, 8 + i, 12 + i
    for (int i = 0; i < 4; ++i) {
      quarters[i] =
          neighbours(neighbours(rows[i], rows[4 + i]), neighbours(rows[8 + i], rows[12 + i]));
    }
    const auto pairs = [](__m512 a, __m512 b) {  // in each of those lanes: a, a, b, b
      return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
    };
    return pairs(pairs(quarters[0], quarters[1]), pairs(quarters[2], quarters[3]));
  }

  static __m512i LoadWeights(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
  static __m512i Broadcast(const std::int8_t* p) {
    std::int32_t four;
    std::memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
  }
  static __m512i Zero() { return _mm512_setzero_si512(); }
  static Ints Total(__m512i sums) { return sums; }
  static void StoreBytes(Ints v, std::int8_t* p) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(v));
  }
};
#endif

}  // namespace translucent
