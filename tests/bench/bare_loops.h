// What an instruction set's int8 products reach without anything around them: weights packed, sums
// written as they are, no scales, no bias, a number of columns and outputs that suits the tile.
// What share of it a kernel reaches says the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__x86_64__)
#include <immintrin.h>
#endif

namespace translucent {

/// Sums of x [rows, cols] with w [outputs / tile, cols / group, tile, group]: out [rows, outputs].
/// cols a multiple of 4, outputs of 128, rows 1 or a multiple of 8. x holds what the loop reads of
/// a row: bytes, or 16 bits each.
using BareLoop = void (*)(const void* x, int rows, int cols, const std::uint8_t* w, int outputs,
                          std::int32_t* out);

/// Tiles of Rows rows and Vectors vectors, one after the other. A Loop takes kGroup columns of
/// kLanes outputs at a time.
template <class Loop, int Rows, int Vectors>
struct BareTiles {
  static constexpr int kOutputs = Vectors * Loop::kLanes;

  [[gnu::noinline]] static void Tile(const typename Loop::Value* x, int cols, const std::uint8_t* w,
                                     std::int32_t* out, int out_stride) {
    typename Loop::Vector sums[Rows][Vectors];
    for (auto& row : sums) {
      for (auto& sum : row) sum = Loop::Zero();
    }
    for (int i = 0; i < cols; i += Loop::kGroup, w += kOutputs * Loop::kGroup) {
      typename Loop::Vector weights[Vectors];
      for (int v = 0; v < Vectors; ++v) {
        weights[v] = Loop::Load(w + v * Loop::kLanes * Loop::kGroup);
      }
      for (int r = 0; r < Rows; ++r) {
        const typename Loop::Vector values = Loop::Broadcast(x + r * cols + i);
        for (int v = 0; v < Vectors; ++v) {
          sums[r][v] = Loop::MultiplyAdd(sums[r][v], weights[v], values);
        }
      }
    }
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) {
        Loop::Store(sums[r][v], out + r * out_stride + v * Loop::kLanes);
      }
    }
  }

  static void Run(const void* x, int rows, int cols, const std::uint8_t* w, int outputs,
                  std::int32_t* out) {
    const auto* values = static_cast<const typename Loop::Value*>(x);
    for (int o = 0; o < outputs; o += kOutputs, w += static_cast<std::size_t>(kOutputs) * cols) {
      for (int r = 0; r < rows; r += Rows) {
        Tile(values + static_cast<std::size_t>(r) * cols, cols, w,
             out + static_cast<std::size_t>(r) * outputs + o, outputs);
      }
    }
  }
};

#if defined(__wasm_simd128__)
struct WasmVectors {
  using Vector = v128_t;
  static constexpr int kLanes = 4;
  static v128_t Zero() { return wasm_i32x4_const_splat(0); }
  static void Store(v128_t sums, std::int32_t* out) { wasm_v128_store(out, sums); }
};

/// load8x8, then dot_i16x8.
struct PlainLoop : WasmVectors {
  using Value = std::int16_t;
  static constexpr int kGroup = 2;
  static v128_t Load(const std::uint8_t* w) { return wasm_i16x8_load8x8(w); }
  static v128_t Broadcast(const std::int16_t* x) { return wasm_v128_load32_splat(x); }
  static v128_t MultiplyAdd(v128_t sums, v128_t weights, v128_t values) {
    return wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(weights, values));
  }
};

#if defined(__wasm_relaxed_simd__)
/// The relaxed dot product of bytes, then dot_i16x8 with ones.
struct RelaxedLoop : WasmVectors {
  using Value = std::int8_t;
  static constexpr int kGroup = 4;
  static v128_t Load(const std::uint8_t* w) { return wasm_v128_load(w); }
  static v128_t Broadcast(const std::int8_t* x) { return wasm_v128_load32_splat(x); }
  static v128_t MultiplyAdd(v128_t sums, v128_t weights, v128_t values) {
    const v128_t pairs = wasm_i16x8_relaxed_dot_i8x16_i7x16(values, weights);
    return wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(pairs, wasm_i16x8_const_splat(1)));
  }
};
#endif
#elif defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vnni")
// vpdpbusd. Not through BareTiles: functions of other options would not be inlined into it.
template <int Rows, int Vectors>
[[gnu::noinline]] void VnniTile(const std::int8_t* x, int cols, const std::uint8_t* w,
                                std::int32_t* out, int out_stride) {
  __m512i sums[Rows][Vectors];
  for (auto& row : sums) {
    for (__m512i& sum : row) sum = _mm512_setzero_si512();
  }
  for (int i = 0; i < cols; i += 4, w += Vectors * 64) {
    __m512i weights[Vectors];
    for (int v = 0; v < Vectors; ++v) weights[v] = _mm512_loadu_si512(w + v * 64);
    for (int r = 0; r < Rows; ++r) {
      std::int32_t four;
      __builtin_memcpy(&four, x + r * cols + i, sizeof four);
      const __m512i values = _mm512_set1_epi32(four);
      for (int v = 0; v < Vectors; ++v) {
        sums[r][v] = _mm512_dpbusd_epi32(sums[r][v], weights[v], values);
      }
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      _mm512_storeu_si512(out + r * out_stride + v * 16, sums[r][v]);
    }
  }
}
#pragma GCC pop_options

template <int Rows, int Vectors>
void VnniLoop(const void* x, int rows, int cols, const std::uint8_t* w, int outputs,
              std::int32_t* out) {
  const auto* values = static_cast<const std::int8_t*>(x);
  for (int o = 0; o < outputs; o += Vectors * 16, w += std::size_t{Vectors} * 16 * cols) {
    for (int r = 0; r < rows; r += Rows) {
      VnniTile<Rows, Vectors>(values + static_cast<std::size_t>(r) * cols, cols, w,
                              out + static_cast<std::size_t>(r) * outputs + o, outputs);
    }
  }
}
#endif

/// The loop to hold a kernel set against, for one row or for many; null where there is none.
inline BareLoop BareLoopOf(std::string_view kernels, bool one_row) {
#if defined(__wasm_simd128__)
  if (kernels == "wasm-simd128") {
    return one_row ? BareTiles<PlainLoop, 1, 4>::Run : BareTiles<PlainLoop, 4, 2>::Run;
  }
#if defined(__wasm_relaxed_simd__)
  if (kernels == "wasm-relaxed") {
    return one_row ? BareTiles<RelaxedLoop, 1, 4>::Run : BareTiles<RelaxedLoop, 4, 2>::Run;
  }
#endif
#elif defined(__x86_64__)
  if (kernels == "avx512-vnni") return one_row ? VnniLoop<1, 8> : VnniLoop<8, 2>;
#endif
  return nullptr;
}

}  // namespace translucent
