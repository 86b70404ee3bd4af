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
  using Ints = xsimd::batch<std::int32_t, Arch>;

  static constexpr int kTileRows = 2;
  static constexpr int kTileOutputs = 4;

  static void StoreBytes(Ints v, std::int8_t* p) {
    const v128_t words = wasm_i16x8_narrow_i32x4(v, v);
    wasm_v128_store32_lane(p, wasm_i8x16_narrow_i16x8(words, words), 0);
  }
};

}  // namespace translucent
