#include "text/double_array.h"

#include <algorithm>

#include "base/error.h"

namespace translucent {
namespace {

constexpr std::uint32_t kBlock = 256;  // the children of one node all lie in one block
// A new node's children are looked for in the last blocks only, as Darts-clone does it: older ones
// are nearly full, and the search stays linear in the number of keys.
constexpr std::uint32_t kOpenBlocks = 16;
constexpr std::uint32_t kNone = 0xFFFFFFFF;

}  // namespace

// Places nodes into the array one after the other; a list runs through the free units of the open
// blocks.
class DoubleArray::Builder {
 public:
  explicit Builder(std::span<const Key> keys) : keys_(keys) {}

  std::vector<std::uint32_t> Build() {
    AddBlock();
    Take(0);
    units_[0] = 0;
    is_base_[0] = true;  // else a NUL byte would lead to the root, whose unit bears no label
    std::vector<Range> todo{{0, keys_.size(), 0, 0}};
    while (!todo.empty()) {
      const Range range = todo.back();
      todo.pop_back();
      PlaceChildren(range, &todo);
    }
    return std::move(units_);
  }

 private:
  // Keys [begin, end) share their first `depth` bytes, which lead to the unit at `position`.
  struct Range {
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
    std::uint32_t position;
  };

  // The byte after the shared ones; 0, which no key contains, at the end of the key.
  unsigned char Label(std::size_t key, std::size_t depth) const {
    const std::string_view text = keys_[key].first;
    return depth < text.size() ? static_cast<unsigned char>(text[depth]) : 0;
  }

  void PlaceChildren(const Range& range, std::vector<Range>* todo) {
    labels_.clear();
    starts_.clear();
    for (std::size_t key = range.begin; key < range.end; ++key) {
      const unsigned char label = Label(key, range.depth);
      if (!labels_.empty() && label == labels_.back()) continue;
      labels_.push_back(label);
      starts_.push_back(key);
    }
    starts_.push_back(range.end);
    if (labels_.empty()) return;  // no keys at all

    const std::uint32_t base = FindBase(range.position);
    const std::uint32_t distance = range.position ^ base;
    is_base_[base] = true;
    units_[range.position] |= distance < (1u << 21) ? distance << 10 : distance << 2 | 0x200;
    if (labels_[0] == 0) units_[range.position] |= kHasValue;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const std::uint32_t child = base ^ labels_[i];
      Take(child);
      if (labels_[i] == 0) {
        units_[child] = kIsValue | static_cast<std::uint32_t>(keys_[starts_[i]].second);
      } else {
        units_[child] = labels_[i];
        todo->push_back({starts_[i], starts_[i + 1], range.depth + 1, child});
      }
    }
  }

  // A base at which every label finds a free unit, and which no other node has: a unit knows the
  // byte that leads to it but not its parent.
  std::uint32_t FindBase(std::uint32_t position) {
    for (std::uint32_t unit = first_free_; unit != kNone; unit = next_free_[unit]) {
      const std::uint32_t base = unit ^ labels_[0];
      if (Fits(base, position)) return base;
    }
    // In a new block everything is free; the same low byte makes any distance expressible.
    const std::uint32_t block = AddBlock();
    return block | (position & (kBlock - 1));
  }

  bool Fits(std::uint32_t base, std::uint32_t position) const {
    if (is_base_[base]) return false;
    const std::uint32_t distance = position ^ base;
    if (distance >= (1u << 21) && (distance & 0xFF) != 0) return false;
    return std::all_of(labels_.begin() + 1, labels_.end(),
                       [&](unsigned char label) { return is_free_[base ^ label]; });
  }

  std::uint32_t AddBlock() {
    const auto begin = static_cast<std::uint32_t>(units_.size());
    if (begin >= 1u << 29) throw Error("vocabulary", "too large");  // what an offset can hold
    if (begin >= kOpenBlocks * kBlock) {
      const std::uint32_t closed = begin - kOpenBlocks * kBlock;
      for (std::uint32_t unit = closed; unit < closed + kBlock; ++unit) {
        if (is_free_[unit]) Take(unit);
      }
    }
    // A free unit has bit 31 set, so that no byte leads to it.
    units_.resize(begin + kBlock, kIsValue);
    is_base_.resize(units_.size(), false);
    is_free_.resize(units_.size(), true);
    next_free_.resize(units_.size(), kNone);
    previous_free_.resize(units_.size(), kNone);
    for (std::uint32_t unit = begin; unit < begin + kBlock; ++unit) {
      previous_free_[unit] = last_free_;
      (last_free_ == kNone ? first_free_ : next_free_[last_free_]) = unit;
      last_free_ = unit;
    }
    return begin;
  }

  void Take(std::uint32_t unit) {
    const std::uint32_t previous = previous_free_[unit];
    const std::uint32_t next = next_free_[unit];
    (previous == kNone ? first_free_ : next_free_[previous]) = next;
    (next == kNone ? last_free_ : previous_free_[next]) = previous;
    is_free_[unit] = false;
  }

  std::span<const Key> keys_;
  std::vector<std::uint32_t> units_;
  std::vector<bool> is_base_;
  std::vector<bool> is_free_;
  std::vector<std::uint32_t> next_free_;
  std::vector<std::uint32_t> previous_free_;
  std::uint32_t first_free_ = kNone;
  std::uint32_t last_free_ = kNone;

  // Of the node being placed: the bytes that lead to its children, and where each child's keys
  // begin.
  std::vector<unsigned char> labels_;
  std::vector<std::size_t> starts_;
};

DoubleArray DoubleArray::Build(std::span<const Key> keys) {
  return keys.empty() ? DoubleArray() : DoubleArray(Builder(keys).Build());
}

int DoubleArray::Find(std::string_view key) const {
  Node node = Root();
  for (const char byte : key) {
    if (!Step(&node, byte)) return -1;
  }
  return Value(node);
}

DoubleArray::Match DoubleArray::Longest(std::string_view text, std::size_t max_length) const {
  Match match;
  Node node = Root();
  text = text.substr(0, max_length);
  for (std::size_t i = 0; i < text.size() && Step(&node, text[i]); ++i) {
    if (const int value = Value(node); value >= 0) match = {i + 1, value};
  }
  return match;
}

}  // namespace translucent
