// What the x86 kernel files share: each passes a tag of its own, so that no two files instantiate
// the same code with different instruction set flags.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

#include "tensor/packing.h"

namespace translucent {

/// 16 registers of 8 floats; the members of an Isa but for MultiplyAdd.
template <class Tag>
struct Registers256 {
  using Arch = xsimd::fma3<xsimd::avx2>;
  using Floats = xsimd::batch<float, Arch>;
  using Ints = xsimd::batch<std::int32_t, Arch>;
  using Bytes = xsimd::batch<std::uint8_t, Arch>;
  static constexpr int kMaxColumns = kMostColumns;
  using Value = std::int8_t;
  using Weights = __m256i;
  using Activations = __m256i;
  using Accumulator = __m256i;

  static constexpr int kTileRows = 2;
  static constexpr int kTileOutputs = 4;
  static constexpr int kAccumulators = 8;
  static constexpr int kMaxVectors = 8;
  static constexpr int kMaxRows = 4;

  /// The first `count` lanes.
  static __m256i Mask(int count) {
    static constexpr std::int32_t kLanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLanes + 8 - count));
  }
  static Floats LoadTail(const float* p, int count, float fill) {
    const __m256i mask = Mask(count);
    return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(p, mask),
                            _mm256_castsi256_ps(mask));
  }
  static void StoreTail(Floats v, float* p, int count) { _mm256_maskstore_ps(p, Mask(count), v); }
  static Floats AddUp(const Floats* v) { return xsimd::haddp(v); }

  static __m256i LoadWeights(const std::uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static __m256i Broadcast(const std::int8_t* p) {
    std::int32_t four;
    std::memcpy(&four, p, sizeof four);
    return _mm256_set1_epi32(four);
  }
  static Bytes Lookup(Bytes table, Bytes indices) { return _mm256_shuffle_epi8(table, indices); }
  static void AddParts(const Ints* v, Ints* out) {
    for (int i = 0; i < 2; ++i) {
      const __m256i a = v[2 * i], b = v[2 * i + 1];
      out[i] = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                                _mm256_permute2x128_si256(a, b, 0x31));
    }
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
  using Floats = xsimd::batch<float, Arch>;
  using Ints = xsimd::batch<std::int32_t, Arch>;
  using Bytes = xsimd::batch<std::uint8_t, Arch>;
  static constexpr int kMaxColumns = kMostColumns;
  using Value = std::int8_t;
  using Weights = __m512i;
  using Activations = __m512i;
  using Accumulator = __m512i;

  static constexpr int kTileRows = 4;
  static constexpr int kTileOutputs = 4;
  static constexpr int kAccumulators = 16;
  static constexpr int kMaxVectors = 4;
  static constexpr int kMaxRows = 8;

  static __mmask16 Mask(int count) { return static_cast<__mmask16>((1 << count) - 1); }
  static Floats LoadTail(const float* p, int count, float fill) {
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), Mask(count), p);
  }
  static void StoreTail(Floats v, float* p, int count) { _mm512_mask_storeu_ps(p, Mask(count), v); }
  /// xsimd 13's haddp puts the sums in another order here.
  static Floats AddUp(const Floats* v) {
    __m512 fours[4];  // lane 4 l + i of fours[f]: the sum of v[4 f + i]'s 128-bit part l
    for (int f = 0; f < 4; ++f) {
      __m512d pairs[2];
      for (int p = 0; p < 2; ++p) {
        const __m512 a = v[4 * f + 2 * p], b = v[4 * f + 2 * p + 1];
        pairs[p] =
            _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)));
      }
      fours[f] = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(pairs[0], pairs[1])),
                               _mm512_castpd_ps(_mm512_unpackhi_pd(pairs[0], pairs[1])));
    }
    const auto halve = [](__m512 a, __m512 b) {  // adds up neighbouring 128-bit parts
      return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                           _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
    };
    return halve(halve(fours[0], fours[1]), halve(fours[2], fours[3]));
  }

  static __m512i LoadWeights(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
  static __m512i Broadcast(const std::int8_t* p) {
    std::int32_t four;
    std::memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
  }
  static Bytes Lookup(Bytes table, Bytes indices) { return _mm512_shuffle_epi8(table, indices); }
  static void AddParts(const Ints* v, Ints* out) {
    const auto halve = [](__m512i a, __m512i b) {  // adds up neighbouring 128-bit parts
      return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                              _mm512_shuffle_i32x4(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
    };
    *out = halve(halve(v[0], v[1]), halve(v[2], v[3]));
  }
  static __m512i Zero() { return _mm512_setzero_si512(); }
  static Ints Total(__m512i sums) { return sums; }
  static void StoreBytes(Ints v, std::int8_t* p) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(v));
  }
};
#endif

}  // namespace translucent
