#include "text/letters.h"

#include <algorithm>
#include <cstddef>

#include "text/utf8.h"

namespace translucent {
namespace {

enum class Script { kUnknown, kLatin, kHan, kKana, kHangul, kCyrillic, kGreek, kArabic, kHebrew };

Script ScriptOf(char32_t c) {
  struct Range {
    char32_t begin, end;
    Script script;
  };
  static constexpr Range kRanges[] = {
      {U'A', U'Z', Script::kLatin},      {U'a', U'z', Script::kLatin},
      {0xC0, 0xD6, Script::kLatin},      {0xD8, 0xF6, Script::kLatin},
      {0xF8, 0x24F, Script::kLatin},     {0x370, 0x3FF, Script::kGreek},
      {0x400, 0x52F, Script::kCyrillic}, {0x5D0, 0x5EA, Script::kHebrew},
      {0x620, 0x6FF, Script::kArabic},   {0x1E00, 0x1EFF, Script::kLatin},
      {0x1F00, 0x1FFF, Script::kGreek},  {0x3005, 0x3007, Script::kHan},
      {0x3041, 0x30FF, Script::kKana},   {0x3400, 0x4DBF, Script::kHan},
      {0x4E00, 0x9FFF, Script::kHan},    {0xAC00, 0xD7A3, Script::kHangul},
      {0xF900, 0xFAFF, Script::kHan},    {0x20000, 0x323AF, Script::kHan},
  };
  for (const Range& range : kRanges) {
    if (c >= range.begin && c <= range.end) return range.script;
  }
  return Script::kUnknown;
}

/// Whether a letter of `script` belongs to texts of `language`; true where that is not known.
bool Writes(Script script, std::string_view language) {
  struct Language {
    std::string_view tags;  // each between spaces
    Script scripts[2];
  };
  static constexpr Language kLanguages[] = {
      {" zh yue ", {Script::kHan, Script::kHan}},
      {" ja ", {Script::kHan, Script::kKana}},
      {" ko ", {Script::kHangul, Script::kHan}},
      {" ru uk be bg mk ", {Script::kCyrillic, Script::kCyrillic}},
      {" el ", {Script::kGreek, Script::kGreek}},
      {" ar fa ur ", {Script::kArabic, Script::kArabic}},
      {" he ", {Script::kHebrew, Script::kHebrew}},
      {" en de fr es it pt nl da sv no nb nn fi is et lv lt pl cs sk sl hr hu ro ca gl eu ga cy mt "
       "sq tr id ms vi ",
       {Script::kLatin, Script::kLatin}},
  };
  const std::string tag = " " + std::string(language.substr(0, language.find('-'))) + " ";
  for (const auto& [tags, scripts] : kLanguages) {
    if (tags.find(tag) != std::string_view::npos) {
      return script == scripts[0] || script == scripts[1];
    }
  }
  return true;
}

/// "anna@example.com", "https://example.com/", "www.example.com"; what stands between spaces.
bool IsAddress(std::string_view word) {
  const auto printable = [](char c) { return c > ' ' && c < 0x7F; };
  if (!std::ranges::all_of(word, printable)) return false;
  if (word.starts_with("www.") || word.find("://") != std::string_view::npos) return true;
  const std::size_t at = word.find('@');
  return at != 0 && at != std::string_view::npos &&
         word.find('.', at + 2) != std::string_view::npos;
}

// Of the pairs from U+0100 on, large and small letters take turns; here they stand the other way.
bool OddIsLarge(char32_t c) { return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E); }
bool InPairs(char32_t c) {
  return (c >= 0x100 && c <= 0x17E) && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149 &&
         c != 0x178;
}

char32_t SmallOf(char32_t c) {
  if ((c >= U'A' && c <= U'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7)) return c + 0x20;
  if (c == 0x178) return 0xFF;
  return InPairs(c) && (c % 2 == 1) == OddIsLarge(c) ? c + 1 : c;
}

char32_t LargeOf(char32_t c) {
  if ((c >= U'a' && c <= U'z') || (c >= 0xE0 && c <= 0xFE && c != 0xF7)) return c - 0x20;
  if (c == 0xFF) return 0x178;
  return InPairs(c) && (c % 2 == 1) != OddIsLarge(c) ? c - 1 : c;
}

constexpr char32_t kSharpS = 0xDF;

}  // namespace

bool IsSpace(char32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

bool IsCjk(char32_t c) {
  return (c >= 0x3005 && c <= 0x3007) || (c >= 0x3041 && c <= 0x30FF) ||
         (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFF66 && c <= 0xFF9F) || (c >= 0x20000 && c <= 0x3FFFF);
}

bool IsVerbatim(std::string_view sentence, std::string_view language) {
  if (Writes(Script::kUnknown, language)) return false;  // not known how it is written
  std::size_t begin = 0;                                 // of the word
  bool letters = false;                                  // in the word
  for (std::size_t i = 0; i <= sentence.size();) {
    const bool end = i == sentence.size();
    const Utf8Character character =
        end ? Utf8Character{U' ', 1, true} : DecodeUtf8(sentence.substr(i));
    if (IsSpace(character.code_point)) {
      if (letters && !IsAddress(sentence.substr(begin, i - begin))) return false;
      begin = i + character.length;
      letters = false;
    } else {
      const Script script = ScriptOf(character.code_point);
      letters |= script != Script::kUnknown && Writes(script, language);
    }
    i += character.length;
  }
  return true;
}

bool IsInCapitals(std::string_view sentence) {
  int letters = 0, words = 0;
  bool inside = false;
  for (std::size_t i = 0; i < sentence.size();) {
    const Utf8Character character = DecodeUtf8(sentence.substr(i));
    const char32_t c = character.code_point;
    if (LargeOf(c) != c) return false;  // ß is neither: STRAßE is as common as STRASSE
    const Script script = ScriptOf(c);
    if (script != Script::kLatin && script != Script::kUnknown) return false;
    const bool large = SmallOf(c) != c;
    letters += large;
    words += large && !inside;
    inside = !IsSpace(c) && (inside || large);
    i += character.length;
  }
  return words >= 2 && letters >= 6;
}

std::string WithoutCapitals(std::string_view sentence) {
  std::string result;
  bool first = true;
  for (std::size_t i = 0; i < sentence.size();) {
    const Utf8Character character = DecodeUtf8(sentence.substr(i));
    const char32_t small = SmallOf(character.code_point);
    if (character.valid && small != character.code_point && !first) {
      AppendUtf8(small, &result);
    } else {
      result += sentence.substr(i, character.length);
      first &= small == character.code_point;
    }
    i += character.length;
  }
  return result;
}

std::string InCapitals(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Character character = DecodeUtf8(text.substr(i));
    const char32_t large = LargeOf(character.code_point);
    if (character.code_point == kSharpS) {
      result += "SS";
    } else if (character.valid && large != character.code_point) {
      AppendUtf8(large, &result);
    } else {
      result += text.substr(i, character.length);
    }
    i += character.length;
  }
  return result;
}

}  // namespace translucent
