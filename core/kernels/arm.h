// What the ARM kernel files share: 32 registers of 4 floats. Each file passes a tag of its own, so
// that no two of them instantiate the same code with different instruction set flags.
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

#include "tensor/packing.h"

namespace translucent {

template <class Tag>
struct RegistersNeon {
  using Arch = xsimd::neon64;
  using Floats = xsimd::batch<float, Arch>;
  using Ints = xsimd::batch<std::int32_t, Arch>;
  using Bytes = xsimd::batch<std::uint8_t, Arch>;
  static constexpr int kMaxColumns = kMostColumns;
  using Value = std::int8_t;
  using Weights = int8x16_t;
  using Activations = int8x16_t;

  static constexpr int kTileRows = 4;
  static constexpr int kTileOutputs = 4;

  static Floats LoadTail(const float* p, int count, float fill) {
    const float32x4_t one = vld1q_lane_f32(p, vdupq_n_f32(fill), 0);
    if (count == 1) return one;
    const float32x4_t two = vld1q_lane_f32(p + 1, one, 1);
    return count == 2 ? two : vld1q_lane_f32(p + 2, two, 2);
  }
  static void StoreTail(Floats v, float* p, int count) {
    const float32x4_t lanes = v;
    vst1q_lane_f32(p, lanes, 0);
    if (count > 1) vst1q_lane_f32(p + 1, lanes, 1);
    if (count > 2) vst1q_lane_f32(p + 2, lanes, 2);
  }
  static Floats AddUp(const Floats* v) { return xsimd::haddp(v); }

  /// Packed weights lie in 1..127: with a sign or without, they are the same.
  static int8x16_t LoadWeights(const std::uint8_t* p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
  static int8x16_t Broadcast(const std::int8_t* p) {
    std::int32_t four;
    std::memcpy(&four, p, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
  }
  static Bytes Lookup(Bytes table, Bytes indices) { return vqtbl1q_u8(table, indices); }
  static void StoreBytes(Ints v, std::int8_t* p) {
    const int16x4_t words = vqmovn_s32(v);
    const int8x8_t bytes = vqmovn_s16(vcombine_s16(words, words));
    const std::int32_t four = vget_lane_s32(vreinterpret_s32_s8(bytes), 0);
    std::memcpy(p, &four, sizeof four);
  }
};

}  // namespace translucent
