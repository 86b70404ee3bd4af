// SentencePiece's text normalisation: replaces characters by a stored table and marks spaces,
// keeping for every byte it writes where in the original text it came from.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/double_array.h"

namespace translucent {

/// U+2581, which stands for a space inside pieces.
inline constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

/// The fields of sentencepiece_model.proto's NormalizerSpec that matter when a model runs, with its
/// defaults; the last one is TrainerSpec's.
struct NormalizerSpec {
  std::string_view precompiled_charsmap;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  bool treat_whitespace_as_suffix = false;
};

struct NormalizedText {
  std::string text;
  // source[i]: offset in the original text of what became text[i]; one more entry than `text` has
  // bytes, the last one where the original of the text ends. Never decreasing.
  std::vector<std::size_t> source;
};

/// Immutable after construction; safe to share between threads.
class Normalizer {
 public:
  /// Copies what it needs of `spec`. Throws Error, naming `what`, on a broken charsmap.
  Normalizer(const NormalizerSpec& spec, std::string_view what);

  /// Normalises any bytes; those that are not UTF-8 become U+FFFD, one by one. The keys of
  /// `verbatim` are taken over unchanged where they occur.
  NormalizedText Normalize(std::string_view text, const DoubleArray& verbatim) const;

 private:
  struct Chunk {
    std::string_view output;
    std::size_t consumed;
  };
  Chunk NormalizePrefix(std::string_view text, const DoubleArray& verbatim) const;

  bool add_dummy_prefix_;
  bool remove_extra_whitespaces_;
  bool treat_whitespace_as_suffix_;
  std::string_view space_;
  DoubleArray rules_;         // what is replaced -> offset of its replacement
  std::string replacements_;  // each ends with a NUL byte
};

}  // namespace translucent
