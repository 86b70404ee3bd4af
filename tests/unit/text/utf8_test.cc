#include "text/utf8.h"

#include <doctest/doctest.h>

#include <string>

namespace translucent::test {
namespace {

TEST_CASE("every code point comes back") {
  for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 7) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    AppendUtf8(c, &text);
    const Utf8Character character = DecodeUtf8(text);
    REQUIRE(character.valid);
    REQUIRE(character.code_point == c);
    REQUIRE(character.length == text.size());
    REQUIRE(Utf8Length(text[0]) == text.size());
  }
}

TEST_CASE("what is no character reads as U+FFFD, one byte long") {
  for (const std::string_view text : {
           "\x80",  // a continuation byte
           "\xC3",
           "\xC3(",  // two bytes, one missing
           "\xE2\x96",
           "\xF0\x9F\x98",
           "\xC0\xAF",
           "\xC1\xBF",  // overlong
           "\xE0\x80\x80",
           "\xF0\x8F\xBF\xBF",
           "\xED\xA0\x80",  // a surrogate
           "\xF4\x90\x80\x80",
           "\xF8\x88",  // above U+10FFFF
           "\xFF",
       }) {
    CAPTURE(text);
    const Utf8Character character = DecodeUtf8(text);
    CHECK(!character.valid);
    CHECK(character.length == 1);
    CHECK(character.code_point == kReplacementCharacter);
  }
  CHECK(DecodeUtf8(kReplacementCharacterUtf8).valid);
}

TEST_CASE("no character is written as U+FFFD") {
  std::string text;
  AppendUtf8(0xD800, &text);
  AppendUtf8(0x110000, &text);
  CHECK(text == "\uFFFD\uFFFD");
}

}  // namespace
}  // namespace translucent::test
