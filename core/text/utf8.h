// UTF-8: decoding that never fails, encoding, character boundaries. The one owner of these rules.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace translucent {

/// U+FFFD, what a byte that is no part of valid UTF-8 is read as.
inline constexpr char32_t kReplacementCharacter = 0xFFFD;
inline constexpr std::string_view kReplacementCharacterUtf8 = "\xEF\xBF\xBD";

struct Utf8Character {
  char32_t code_point = kReplacementCharacter;
  std::size_t length = 1;  // bytes it takes; 1 where they are invalid
  bool valid = false;      // tells an invalid byte from a U+FFFD that stands in the text
};

/// The character at the beginning of `text`, which must not be empty. Valid is what RFC 3629 calls
/// valid: no surrogates, no overlong forms, nothing above U+10FFFF.
Utf8Character DecodeUtf8(std::string_view text);

/// Appends the UTF-8 form of `code_point`; surrogates and values above U+10FFFF become U+FFFD.
void AppendUtf8(char32_t code_point, std::string* text);

constexpr bool IsUtf8Continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// Bytes in the character that `lead` begins, in text known to be valid; 1 for a continuation byte.
constexpr std::size_t Utf8Length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace translucent
