// What the WebAssembly kernel files share: vectors of 4 floats, which engines keep in 16 registers.
// Each passes a tag of its own, so that no two files instantiate the same code with different
// flags.
#pragma once

#include <wasm_simd128.h>

#include <cstdint>
#include <xsimd/xsimd.hpp>

namespace translucent {

template <class Tag>
struct Registers128 {
  using Arch = xsimd::wasm;
  using Floats = xsimd::batch<float, Arch>;
  using Ints = xsimd::batch<std::int32_t, Arch>;
  using Bytes = xsimd::batch<std::uint8_t, Arch>;

  static constexpr int kTileRows = 2;
  static constexpr int kTileOutputs = 4;

  static Floats LoadTail(const float* p, int count, float fill) {
    const v128_t rest = wasm_f32x4_splat(fill);
    if (count == 1) return wasm_v128_load32_lane(p, rest, 0);
    const v128_t two = wasm_v128_load64_lane(p, rest, 0);
    return count == 2 ? two : wasm_v128_load32_lane(p + 2, two, 2);
  }
  static void StoreTail(Floats v, float* p, int count) {
    if (count == 1) return wasm_v128_store32_lane(p, v, 0);
    wasm_v128_store64_lane(p, v, 0);
    if (count == 3) wasm_v128_store32_lane(p + 2, v, 2);
  }
  static Floats AddUp(const Floats* v) { return xsimd::haddp(v); }

  static void StoreBytes(Ints v, std::int8_t* p) {
    const v128_t words = wasm_i16x8_narrow_i32x4(v, v);
    wasm_v128_store32_lane(p, wasm_i8x16_narrow_i16x8(words, words), 0);
  }
};

}  // namespace translucent
