// A set of byte strings with a number each, held as a double-array trie: finding the keys that
// begin a text costs one array access a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace translucent {

/// A trie in the unit format of Darts-clone (github.com/s-yata/darts-clone), which is what a
/// SentencePiece normaliser is stored in. Every step is checked against the array's length, so a
/// broken array gives wrong matches but nothing worse. Immutable; safe to share between threads.
class DoubleArray {
 public:
  using Key = std::pair<std::string_view, int>;

  /// A place in the trie: what has been read so far. A default one is where no key leads.
  struct Node {
    std::uint32_t base = kNowhere;
    bool has_value = false;  // a key ends here
  };

  struct Match {
    std::size_t length = 0;  // 0: no key begins the text
    int value = -1;
  };

  /// The empty set.
  DoubleArray() = default;
  /// Takes the units of an existing array as they are.
  explicit DoubleArray(std::vector<std::uint32_t> units) : units_(std::move(units)) {}
  /// Builds the trie of `keys`, which are sorted by their bytes, unlike one another, not empty and
  /// free of NUL bytes, with values >= 0.
  static DoubleArray Build(std::span<const Key> keys);

  bool empty() const { return units_.empty(); }

  Node Root() const { return units_.empty() ? Node{} : Node{Offset(units_[0]), false}; }

  /// Moves `node` along `byte`; false, and `node` nowhere, where no key goes on with it.
  bool Step(Node* node, char byte) const {
    const std::uint32_t position = node->base ^ static_cast<unsigned char>(byte);
    if (position < units_.size()) {
      const std::uint32_t unit = units_[position];
      if ((unit & (kIsValue | 0xFF)) == static_cast<unsigned char>(byte)) {
        node->base = position ^ Offset(unit);
        node->has_value = (unit & kHasValue) != 0;
        return true;
      }
    }
    *node = {};
    return false;
  }

  /// The number of the key that ends at `node`, or -1.
  int Value(Node node) const {
    if (!node.has_value || node.base >= units_.size()) return -1;
    return static_cast<int>(units_[node.base] & ~kIsValue);
  }

  /// The number of `key`, or -1.
  int Find(std::string_view key) const;

  /// The longest key of at most `max_length` bytes that begins `text`.
  Match Longest(std::string_view text, std::size_t max_length) const;

 private:
  class Builder;

  // A unit is either a node's: bits 0-7 the byte that leads to it, bit 8 whether a key ends there,
  // bits 9-30 how far its children are (bit 9: times 256); or, with bit 31, the number of a key.
  static constexpr std::uint32_t kIsValue = 1u << 31;
  static constexpr std::uint32_t kHasValue = 1u << 8;
  static constexpr std::uint32_t kNowhere = 0xFFFFFF00;  // past any array, whatever byte comes next

  static std::uint32_t Offset(std::uint32_t unit) { return unit >> 10 << ((unit & 0x200) >> 6); }

  std::vector<std::uint32_t> units_;
};

}  // namespace translucent
