#include "text/normalizer.h"

#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "text/utf8.h"

namespace translucent {
namespace {

// Longer rules than this are not looked for: it bounds the work on a hostile charsmap. The longest
// of the library's own rules has 12 bytes.
constexpr std::size_t kMaxRuleBytes = 1024;
// The library refuses pieces of 8000 bytes and more, so no user-defined symbol is longer.
constexpr std::size_t kMaxVerbatimBytes = 8000;

std::uint32_t LittleEndian32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

// Layout of the charsmap (sentencepiece, normalizer.cc): u32 size of the trie in bytes | trie, a
// Darts-clone double array of u32 units | replacements, each ended by a NUL byte; all
// little-endian.
Normalizer::Normalizer(const NormalizerSpec& spec, std::string_view what)
    : add_dummy_prefix_(spec.add_dummy_prefix),
      remove_extra_whitespaces_(spec.remove_extra_whitespaces),
      treat_whitespace_as_suffix_(spec.treat_whitespace_as_suffix),
      space_(spec.escape_whitespaces ? kSpaceSymbol : " ") {
  std::string_view charsmap = spec.precompiled_charsmap;
  if (charsmap.empty()) return;

  const auto fail = [what](std::string_view why) {
    throw Error(what, "precompiled_charsmap: " + std::string(why));
  };
  if (charsmap.size() < 4) fail("truncated");
  const std::uint32_t trie_bytes = LittleEndian32(charsmap);
  charsmap.remove_prefix(4);
  if (trie_bytes > charsmap.size()) {
    fail("a trie of " + std::to_string(trie_bytes) + " bytes in " +
         std::to_string(charsmap.size()) + " bytes");
  }
  if (trie_bytes == 0 || trie_bytes % 4 != 0) {
    fail("a trie of " + std::to_string(trie_bytes) + " bytes, not of whole units");
  }
  replacements_ = charsmap.substr(trie_bytes);
  if (replacements_.empty() || replacements_.back() != '\0') {
    fail("the replacements do not end with a NUL byte");
  }
  std::vector<std::uint32_t> units(trie_bytes / 4);
  for (std::size_t i = 0; i < units.size(); ++i) units[i] = LittleEndian32(charsmap.substr(4 * i));
  rules_ = DoubleArray(std::move(units));
}

Normalizer::Chunk Normalizer::NormalizePrefix(std::string_view text,
                                              const DoubleArray& verbatim) const {
  if (const auto match = verbatim.Longest(text, kMaxVerbatimBytes); match.length > 0) {
    return {text.substr(0, match.length), match.length};
  }
  const auto rule = rules_.Longest(text, kMaxRuleBytes);
  if (rule.length > 0 && static_cast<std::size_t>(rule.value) < replacements_.size()) {
    return {std::string_view(replacements_.data() + rule.value), rule.length};
  }
  const Utf8Character character = DecodeUtf8(text);
  if (!character.valid) return {kReplacementCharacterUtf8, 1};
  return {text.substr(0, character.length), character.length};
}

NormalizedText Normalizer::Normalize(std::string_view text, const DoubleArray& verbatim) const {
  NormalizedText result;
  std::size_t position = 0;
  if (remove_extra_whitespaces_) {
    while (position < text.size()) {
      const Chunk chunk = NormalizePrefix(text.substr(position), verbatim);
      if (chunk.output != " ") break;
      position += chunk.consumed;
    }
  }
  if (position == text.size()) return result;  // nothing left: no dummy prefix either

  const std::size_t expected = text.size() - position + text.size() / 4 + 8;
  result.text.reserve(expected);
  result.source.reserve(expected);
  const auto append = [&](std::string_view bytes) {
    result.text += bytes;
    result.source.insert(result.source.end(), bytes.size(), position);
  };

  if (add_dummy_prefix_ && !treat_whitespace_as_suffix_) append(space_);
  bool after_space = remove_extra_whitespaces_;
  while (position < text.size()) {
    const Chunk chunk = NormalizePrefix(text.substr(position), verbatim);
    std::string_view output = chunk.output;
    while (after_space && output.starts_with(' ')) output.remove_prefix(1);
    if (!output.empty()) {
      after_space = remove_extra_whitespaces_ && output.ends_with(' ');
      for (std::size_t space; (space = output.find(' ')) != output.npos;
           output.remove_prefix(space + 1)) {
        append(output.substr(0, space));
        append(space_);
      }
      append(output);
    }
    position += chunk.consumed;
  }

  if (remove_extra_whitespaces_) {
    while (result.text.ends_with(space_)) {
      const std::size_t length = result.text.size() - space_.size();
      position = result.source[length];
      result.text.resize(length);
      result.source.resize(length);
    }
  }
  if (add_dummy_prefix_ && treat_whitespace_as_suffix_) append(space_);
  result.source.push_back(position);
  return result;
}

}  // namespace translucent
