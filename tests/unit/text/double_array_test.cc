#include "text/double_array.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "lines.h"

namespace translucent::test {
namespace {

TEST_CASE("the empty set holds nothing") {
  for (const DoubleArray& trie : {DoubleArray(), DoubleArray::Build({})}) {
    CHECK(trie.Find("") == -1);
    CHECK(trie.Find("a") == -1);
    CHECK(trie.Longest("abc", 10).length == 0);
  }
}

TEST_CASE("a small set, by hand") {
  const std::vector<DoubleArray::Key> keys{{"a", 7}, {"ab", 0}, {"abcd", 3}, {"\xFF", 5}};
  const DoubleArray trie = DoubleArray::Build(keys);
  for (const auto& [text, value] : keys) CHECK(trie.Find(text) == value);
  CHECK(trie.Find("abc") == -1);
  CHECK(trie.Find("abcde") == -1);
  CHECK(trie.Find(std::string_view("a\0", 2)) == -1);
  CHECK(trie.Find(std::string_view("\0", 1)) == -1);
  CHECK(trie.Longest("abcx", 100).length == 2);
  CHECK(trie.Longest("abcde", 100).value == 3);
  CHECK(trie.Longest("abcde", 3).value == 0);
  CHECK(trie.Longest("b", 100).length == 0);
}

// Against std::map: many keys, dense and sparse, and texts that are nearly keys.
TEST_CASE("any set finds its keys and nothing else") {
  for (const std::size_t count : {1, 30, 1000, 40000}) {
    CAPTURE(count);
    Random random(count);
    std::map<std::string, int> expected;
    while (expected.size() < count) {
      std::string key;
      const bool dense = random.Below(2) == 0;
      for (std::size_t length = 1 + random.Below(dense ? 4 : 12); length > 0; --length) {
        key += static_cast<char>(dense ? 1 + random.Below(255) : 'a' + random.Below(6));
      }
      expected.emplace(key, static_cast<int>(expected.size()));
    }
    const std::vector<DoubleArray::Key> keys(expected.begin(), expected.end());
    const DoubleArray trie = DoubleArray::Build(keys);
    std::size_t wrong = 0;
    for (const auto& [key, value] : expected) {
      wrong += trie.Find(key) != value;
      std::string other = key;
      other[random.Below(other.size())] = static_cast<char>(random.Below(256));
      if (random.Below(2) == 0) other += static_cast<char>(random.Below(256));
      const auto found = expected.find(other);
      wrong += trie.Find(other) != (found == expected.end() ? -1 : found->second);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("any units at all are safe to walk") {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint32_t> units(random.Below(2000));
    for (std::uint32_t& unit : units) {
      unit = static_cast<std::uint32_t>(random.Next()) >> random.Below(32);
    }
    const DoubleArray trie(std::move(units));
    for (const std::string& line : {TestLines()[5], TestLines()[500], TestLines()[2000]}) {
      for (std::size_t i = 0; i < line.size(); ++i) trie.Longest(line.substr(i), 100);
    }
  }
}

}  // namespace
}  // namespace translucent::test
