// Writes .spm files piece by piece, right or wrong ones, for tests.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lines.h"

namespace translucent::test {

inline std::string Varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string NumberField(std::uint32_t field, std::uint64_t value) {
  return Varint(field << 3) + Varint(value);
}

inline std::string BytesField(std::uint32_t field, std::string_view bytes) {
  return Varint(field << 3 | 2) + Varint(bytes.size()) + std::string(bytes);
}

/// One SentencePiece message inside a ModelProto. Types: 1 normal, 2 unknown, 3 control,
/// 4 user-defined, 5 unused, 6 byte.
inline std::string PieceField(std::string_view text, float score = 0, int type = 1) {
  return BytesField(1, BytesField(1, text) + Varint(2 << 3 | 5) +
                           LittleEndian(std::bit_cast<std::uint32_t>(score)) +
                           NumberField(3, static_cast<std::uint64_t>(type)));
}

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace translucent::test
