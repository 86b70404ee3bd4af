// Splits running text into sentences and keeps everything between them.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace translucent {

/// [begin, end) byte offsets of one sentence; the bytes between two sentences (spaces, line breaks)
/// belong to neither and are to be copied through.
struct SentenceRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A stretch this long without an end is cut: some 400 Chinese characters or 200 English words.
inline constexpr std::size_t kMaxSentenceBytes = 1200;

/// Sentences of `text` (UTF-8; invalid bytes are ordinary characters), in order. Ends at . ! ? …
/// and their full-width and CJK forms, with closing quotes and brackets, and at line breaks; not
/// inside numbers, common abbreviations, initials, URLs or e-mail addresses. A stretch of more than
/// `max_bytes` bytes without an end is cut at the last space, comma or character boundary, so that
/// a model with limited positions can take it. Text of white space alone yields no sentence.
std::vector<SentenceRange> SplitSentences(std::string_view text,
                                          std::size_t max_bytes = kMaxSentenceBytes);

/// What stands between the translations `before` and `after` of two neighbouring sentences: what
/// stood between the sentences, `source`, except that whether a space follows a full stop is the
/// target language's to decide. "你好。再见。" -> "Hello. Goodbye." and back.
std::string_view SentenceSeparator(std::string_view before, std::string_view source,
                                   std::string_view after);

}  // namespace translucent
