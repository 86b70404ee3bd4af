// Scripts and capitals, compared with Python's Unicode data (scripts/fixtures/letters.py).
#include "text/letters.h"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "../fixtures.h"
#include "text/utf8.h"

namespace translucent::test {
namespace {

nlohmann::json Fixture() {
  const auto bytes = ReadFixture("letters.json");
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  return nlohmann::json::parse(begin, begin + bytes.size());
}

std::string Utf8(char32_t c) {
  std::string text;
  AppendUtf8(c, &text);
  return text;
}

TEST_CASE("letters: small and large ones are Python's") {
  const auto fixture = Fixture();
  const std::map<std::string, std::string> small = fixture["small"], large = fixture["large"];
  REQUIRE(small.size() > 100);
  REQUIRE(large.size() > 100);
  for (char32_t c = 1; c < 0x180; ++c) {
    const std::string letter = Utf8(c);
    CAPTURE(letter);
    // Behind another large letter, since the first one stays.
    const auto its_small = small.find(letter);
    CHECK(WithoutCapitals("A" + letter) ==
          "A" + (its_small == small.end() ? letter : its_small->second));
    const auto its_large = large.find(letter);
    const std::string wanted = letter == "ß" ? "SS" : letter;
    CHECK(InCapitals(letter) == (its_large == large.end() ? wanted : its_large->second));
  }
}

TEST_CASE("letters: the first stays large, and bytes stay where they are") {
  CHECK(WithoutCapitals("WO IST DIE TÜR?") == "Wo ist die tür?");
  CHECK(WithoutCapitals("„ÄPFEL UND BIRNEN“") == "„Äpfel und birnen“");
  CHECK(InCapitals("Wo ist die Straße?") == "WO IST DIE STRASSE?");
  CHECK(InCapitals("你好 \xFF é") == "你好 \xFF É");
  for (const std::string_view text : {"WO IST DIE TÜR?", "Straße, Žižkov, œuvre", "a\xC3"}) {
    CHECK(WithoutCapitals(text).size() == text.size());
    CHECK(InCapitals(text).size() == text.size());
  }
}

TEST_CASE("letters: a sentence in capitals") {
  for (const char* text : {"WHERE IS THE STATION?", "ICH LIEBE DICH", "DIE STRAßE IST ZU",
                           "DIE TÜR 3 IST ZU!", "ÇA VA BIEN"}) {
    CAPTURE(text);
    CHECK(IsInCapitals(text));
  }
  for (const std::string text : {"", "NATO", "HELLO!", "I AM", "Where IS THE STATION?", "USA 2024",
                                 "我用 IPHONE 和 MACBOOK", "1 2 3", "你好，世界"}) {
    CAPTURE(text);
    CHECK_FALSE(IsInCapitals(text));
  }
}

TEST_CASE("letters: what has none of the language's script is verbatim") {
  const std::map<std::string, std::string> scripts = Fixture()["scripts"];
  const std::map<std::string, std::map<std::string, bool>> languages = {
      {"zh", {{"han", true}}},
      {"zh-Hant", {{"han", true}}},
      {"en", {{"latin", true}}},
      {"de-AT", {{"latin", true}}},
      {"ja", {{"han", true}, {"kana", true}}},
      {"ko", {{"han", true}, {"hangul", true}}},
      {"ru", {{"cyrillic", true}}},
      {"el", {{"greek", true}}},
      {"ar", {{"arabic", true}}},
      {"he", {{"hebrew", true}}}};
  for (const auto& [language, written] : languages) {
    for (const auto& [script, letters] : scripts) {
      REQUIRE(letters.size() > 20);
      for (std::size_t i = 0; i < letters.size();) {
        const auto length = DecodeUtf8(std::string_view(letters).substr(i)).length;
        CAPTURE(language);
        CAPTURE(letters.substr(i, length));
        CHECK(IsVerbatim("1 " + letters.substr(i, length) + "!", language) !=
              written.contains(script));
        i += length;
      }
    }
  }
}

TEST_CASE("letters: numbers, marks and addresses are verbatim, words beside them are not") {
  for (const char* text :
       {"1985", "3,5 %", "😀 ❤️", "...", "anna@example.com", "a.b@mail.example.org",
        "https://example.com/about", "www.example.com 12", "你好，世界。", ""}) {
    CAPTURE(text);
    CHECK(IsVerbatim(text, "en"));
    CHECK(IsVerbatim(text, "de"));
  }
  for (const std::string text : {"a", "Write to anna@example.com", "@anna", "anna@home", "3 km",
                                 "naïve", "example.com", "für@ele.de"}) {
    CAPTURE(text);
    CHECK_FALSE(IsVerbatim(text, "en"));
  }
  CHECK(IsVerbatim("Hello, world!", "zh"));
  CHECK_FALSE(IsVerbatim("Hello, 世界!", "zh"));
  // Whatever it is, where it is not known how the language is written.
  for (const char* language : {"", "xx", "mul", "tlh"}) {
    CHECK_FALSE(IsVerbatim("1985", language));
  }
}

}  // namespace
}  // namespace translucent::test
