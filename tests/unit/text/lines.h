// The test lines: seed.txt and what is made from it, the same as scripts/fixtures/text.py makes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace translucent::test {

/// SplitMix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(Next() % n); }

  template <typename Items>
  const auto& Pick(const Items& items) {
    return items[Below(std::size(items))];
  }

 private:
  std::uint64_t state_;
};

/// The lines of seed.txt.
std::vector<std::string> SeedLines();

/// 5600 lines of many languages, mixtures of them, emoji, odd spaces, broken bytes, repetition and
/// nothing at all; the last four have 100,000 bytes and more.
const std::vector<std::string>& TestLines();

/// CRC-32 as in zlib; `crc` is that of the bytes before.
std::uint32_t Crc32(std::string_view bytes, std::uint32_t crc = 0);

/// The four bytes of `value`, lowest first.
std::string LittleEndian(std::uint32_t value);

/// Names of the models in tests/fixtures/text, without ".spm".
inline constexpr std::string_view kModels[] = {
    "unigram-nmt_nfkc",
    "unigram-nfkc-bytes",
    "unigram-nmt_nfkc_cf-symbols",
    "unigram-nfkc_cf-suffix",
    "unigram-identity-raw",
    "unigram-identity-spaces",
    "unigram-rules",
    "unigram-unused",
    "bpe-nmt_nfkc-bytes",
    "bpe-nfkc-symbols",
    "bpe-nmt_nfkc_cf-noprefix",
    "bpe-nfkc_cf-suffix",
    "bpe-identity",
    "bpe-unused",
    "bpe-noescape",
};

}  // namespace translucent::test
