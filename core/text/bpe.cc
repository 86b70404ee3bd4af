#include "text/bpe.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "text/utf8.h"

namespace translucent {
namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFF;
constexpr int kMaxSplits = 100;  // how deep UNUSED pieces are split back, as in the library

// One symbol of the text; merged symbols stay in the list, empty, at their old place.
struct Symbol {
  std::string_view text;
  DoubleArray::Node node;  // where `text` leads in the trie
  std::uint32_t previous;
  std::uint32_t next;
  bool frozen;  // user-defined: never merged
};

struct Merge {
  float score;
  std::uint32_t left;
  std::uint32_t right;
  std::uint32_t size;  // bytes of both, by which an outdated entry is recognised

  // The best merge is the greatest: highest score, then leftmost.
  bool operator<(const Merge& other) const {
    return score < other.score || (score == other.score && left > other.left);
  }
};

class Encoder {
 public:
  Encoder(const PieceVocabulary& vocabulary, std::string_view text)
      : vocabulary_(vocabulary), trie_(vocabulary.searchable()) {
    symbols_.reserve(text.size());
    while (!text.empty()) {
      const auto whole = vocabulary.user_defined().Longest(text, kMaxPieceBytes);
      const bool frozen = whole.length > 0;
      const std::size_t length = frozen ? whole.length : std::min(Utf8Length(text[0]), text.size());
      const auto index = static_cast<std::uint32_t>(symbols_.size());
      symbols_.push_back({text.substr(0, length), Follow(trie_.Root(), text.substr(0, length)),
                          index == 0 ? kNone : index - 1, index + 1, frozen});
      text.remove_prefix(length);
    }
  }

  std::vector<Segment> Encode() {
    std::vector<Segment> segments;
    segments.reserve(symbols_.size());
    const auto count = static_cast<std::uint32_t>(symbols_.size());
    for (std::uint32_t begin = 0; begin < count;) {
      const std::uint32_t end = vocabulary_.has_unused() ? count : StretchEnd(begin);
      MergeStretch(begin, end);
      for (std::uint32_t i = begin; i != kNone; i = symbols_[i].next) {
        const int id = trie_.Value(symbols_[i].node);
        if (id >= 0 && vocabulary_.type(id) != PieceType::kUnused) {
          segments.push_back({symbols_[i].text, id});
        } else {
          AppendParts(symbols_[i].text, &segments);
        }
      }
      begin = end;
    }
    return segments;
  }

 private:
  DoubleArray::Node Follow(DoubleArray::Node node, std::string_view text) const {
    for (const char byte : text) {
      if (!trie_.Step(&node, byte)) break;
    }
    return node;
  }

  // The end of the stretch from `begin` on that no piece reaches beyond. Merges in one stretch have
  // no influence on another, and a queue of one word is far quicker than one of a whole text. (With
  // UNUSED pieces they have: the last pair seen anywhere decides how one is split.)
  std::uint32_t StretchEnd(std::uint32_t begin) const {
    const char* const text_end = symbols_.back().text.data() + symbols_.back().text.size();
    const char* reach = nullptr;
    for (std::uint32_t i = begin;; ++i) {
      const std::string_view symbol = symbols_[i].text;
      const char* const symbol_end = symbol.data() + symbol.size();
      if (symbol_end == text_end) return i + 1;
      const std::string_view rest(symbol.data(),
                                  static_cast<std::size_t>(text_end - symbol.data()));
      reach = std::max(reach, symbol.data() + trie_.Longest(rest, kMaxPieceBytes).length);
      if (reach <= symbol_end) return i + 1;
    }
  }

  // Does all merges among the symbols [begin, end).
  void MergeStretch(std::uint32_t begin, std::uint32_t end) {
    symbols_[begin].previous = kNone;
    symbols_[end - 1].next = kNone;
    queue_.clear();
    for (std::uint32_t right = begin + 1; right < end; ++right) {
      if (const Merge merge = FindMerge(right - 1, right); merge.size > 0) queue_.push_back(merge);
    }
    std::make_heap(queue_.begin(), queue_.end());
    const auto offer = [&](std::uint32_t left, std::uint32_t right) {
      if (left == kNone || right == kNone) return;
      if (const Merge merge = FindMerge(left, right); merge.size > 0) {
        queue_.push_back(merge);
        std::push_heap(queue_.begin(), queue_.end());
      }
    };
    while (!queue_.empty()) {
      const Merge merge = queue_.front();
      std::pop_heap(queue_.begin(), queue_.end());
      queue_.pop_back();
      Symbol& left = symbols_[merge.left];
      Symbol& right = symbols_[merge.right];
      if (left.text.empty() || right.text.empty() ||
          left.text.size() + right.text.size() != merge.size) {
        continue;  // one of the two has been merged since
      }
      left.node = Follow(left.node, right.text);
      left.text = {left.text.data(), merge.size};
      left.next = right.next;
      if (right.next != kNone) symbols_[right.next].previous = merge.left;
      right.text = {};
      offer(left.previous, merge.left);
      offer(merge.left, left.next);
    }
  }

  // The merge of two neighbours; of size 0 if they are no piece together.
  Merge FindMerge(std::uint32_t left, std::uint32_t right) {
    const Symbol& a = symbols_[left];
    const Symbol& b = symbols_[right];
    if (a.frozen || b.frozen) return {};
    const int id = trie_.Value(Follow(a.node, b.text));
    if (id < 0) return {};
    if (vocabulary_.type(id) == PieceType::kUnused) splits_[id] = a.text.size();
    return {vocabulary_[id].score, left, right,
            static_cast<std::uint32_t>(a.text.size() + b.text.size())};
  }

  // Writes what an UNUSED piece was merged from, by the last pair seen, or a character unknown.
  void AppendParts(std::string_view text, std::vector<Segment>* segments) const {
    struct Part {
      std::string_view text;
      int depth;
    };
    std::vector<Part> parts{{text, 0}};
    while (!parts.empty()) {
      const Part part = parts.back();
      parts.pop_back();
      const int id = trie_.Find(part.text);
      if (id < 0) {
        segments->push_back({part.text, vocabulary_.unknown_id()});
      } else if (part.depth > kMaxSplits || vocabulary_.type(id) != PieceType::kUnused) {
        segments->push_back({part.text, id});
      } else if (const auto split = splits_.find(id); split == splits_.end()) {
        segments->push_back({part.text, vocabulary_.unknown_id()});  // a single UNUSED character
      } else {
        parts.push_back({part.text.substr(split->second), part.depth + 1});
        parts.push_back({part.text.substr(0, split->second), part.depth + 1});
      }
    }
  }

  const PieceVocabulary& vocabulary_;
  const DoubleArray& trie_;
  std::vector<Symbol> symbols_;
  std::vector<Merge> queue_;                     // a heap
  std::unordered_map<int, std::size_t> splits_;  // UNUSED piece -> bytes of its left part
};

}  // namespace

std::vector<Segment> EncodeBpe(const PieceVocabulary& vocabulary, std::string_view text) {
  return Encoder(vocabulary, text).Encode();
}

}  // namespace translucent
