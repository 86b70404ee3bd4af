#include "lines.h"

#include <algorithm>
#include <array>
#include <utility>

#include "../fixtures.h"
#include "text/utf8.h"

namespace translucent::test {
namespace {

using namespace std::string_view_literals;
using Characters = std::vector<std::string>;  // a line, character by character

constexpr std::size_t kLineCount = 5600;

constexpr std::string_view kSeparators[] = {" ",      " ",      " ",      "  ",    "\t", "\u00a0",
                                            "\u3000", "\u200b", "\u200d", "\r",    "\n", "\ufeff",
                                            "",       "\u2581", "\u2028", "\u00ad"};
constexpr std::string_view kMarks[] = {"\u0301", "\u0308", "\u0323", "\u200d", "\ufe0f", "\u200b",
                                       "\u00ad", "\0"sv,   "\t",     "\u00a0", "\u3000", "\ufeff",
                                       "\r\n",   "\u20e3", "\u3099", "\u064e", "\u094d", "\u1161"};
constexpr std::string_view kTags[] = {"[MASK]", "<tag>",    "foo bar", "foo",         "foobar",
                                      "barb",   "{{name}}", "</s>",    "<unk>",       "<0x41>",
                                      "<ctrl>", "\u2581",   "hahaha",  "\u54c8\u54c8"};
constexpr std::pair<char32_t, char32_t> kRanges[] = {
    {0x20, 0x7E},       {0xA0, 0x17F},      {0x180, 0x24F},     {0x300, 0x36F},
    {0x370, 0x3FF},     {0x400, 0x45F},     {0x5B0, 0x5EA},     {0x600, 0x6FF},
    {0x900, 0x97F},     {0xE00, 0xE5B},     {0x1100, 0x11FF},   {0x1E00, 0x1EFF},
    {0x2000, 0x206F},   {0x2070, 0x218B},   {0x2460, 0x24FF},   {0x3000, 0x30FF},
    {0x3130, 0x318E},   {0x3200, 0x33FF},   {0x4E00, 0x4FFF},   {0xAC00, 0xAD00},
    {0xF900, 0xFAD9},   {0xFB00, 0xFB4F},   {0xFE70, 0xFEFC},   {0xFF00, 0xFFEF},
    {0x1D400, 0x1D7FF}, {0x1F1E6, 0x1F1FF}, {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF},
    {0xE0020, 0xE007F}, {0x2F800, 0x2FA1D}};

std::string Join(const Characters& characters, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < end && i < characters.size(); ++i) text += characters[i];
  return text;
}

class LineMaker {
 public:
  LineMaker() : seeds_(SeedLines()) {
    for (const std::string& seed : seeds_) {
      Characters& characters = characters_.emplace_back();
      for (std::size_t i = 0; i < seed.size(); i += characters.back().size()) {
        characters.push_back(seed.substr(i, Utf8Length(seed[i])));
      }
      std::vector<std::string>& words = words_.emplace_back();
      for (std::size_t begin = 0; begin <= seed.size();) {
        const std::size_t end = std::min(seed.find(' ', begin), seed.size());
        words.push_back(seed.substr(begin, end - begin));
        begin = end + 1;
      }
    }
  }

  std::string Make(std::size_t index) const {
    if (index < seeds_.size()) return seeds_[index];
    Random random(index);
    std::string line;
    if (index >= kLineCount - 4) return MakeVeryLong(index, random);
    if (index % 400 == 0) {
      for (int i = 0; i < 60; ++i) line += Splice(random);
      return line;
    }
    switch (index % 9) {
      case 0:
        return Splice(random);
      case 1:
        return Words(random, 1 + random.Below(12));
      case 2:
        return BreakBytes(random);
      case 3: {  // repetition
        const Characters& seed = random.Pick(characters_);
        const std::size_t begin = random.Below(seed.size());
        const std::string part = Join(seed, begin, begin + 1 + random.Below(4));
        for (std::size_t times = 1 + random.Below(30); times > 0; --times) line += part;
        return line.append(random.Pick(kSeparators));
      }
      case 4:  // any characters
        for (std::size_t count = 1 + random.Below(20); count > 0; --count) {
          const auto [first, last] = random.Pick(kRanges);
          AppendUtf8(first + static_cast<char32_t>(random.Below(last - first + 1)), &line);
        }
        return line;
      case 5:  // marks between
        for (const std::string& character : random.Pick(characters_)) {
          line += character;
          if (random.Below(4) == 0) line += random.Pick(kMarks);
        }
        return line;
      case 6:  // special strings
        for (std::size_t count = 1 + random.Below(8); count > 0; --count) {
          line += random.Pick(kTags);
          if (random.Below(2) == 0) line += random.Pick(random.Pick(words_));
        }
        return line;
      case 7:  // whole lines
        for (std::size_t count = 1 + random.Below(3); count > 0; --count) {
          line += random.Pick(kSeparators);
          line += random.Pick(seeds_);
          line += random.Pick(kSeparators);
        }
        return line;
      default:  // blank
        for (std::size_t count = random.Below(6); count > 0; --count) {
          line += random.Pick(kSeparators);
        }
        return line;
    }
  }

 private:
  std::string Splice(Random& random) const {
    const Characters& a = random.Pick(characters_);
    const Characters& b = random.Pick(characters_);
    const std::size_t end = random.Below(a.size() + 1);
    return Join(a, 0, end) + Join(b, random.Below(b.size() + 1), b.size());
  }

  std::string Words(Random& random, std::size_t count) const {
    std::string line;
    for (; count > 0; --count) {
      line += random.Pick(random.Pick(words_));
      line += random.Pick(kSeparators);
    }
    return line;
  }

  std::string BreakBytes(Random& random) const {
    std::string line = Splice(random);
    for (std::size_t count = 1 + random.Below(6); count > 0; --count) {
      const std::size_t edit = random.Below(3);
      const std::size_t at = random.Below(line.size() + 1);
      const char byte = static_cast<char>(random.Below(256));
      if (edit == 0) {
        line.insert(at, 1, byte);
      } else if (at < line.size() && edit == 1) {
        line[at] = byte;
      } else if (at < line.size()) {
        line.erase(at, 1);
      }
    }
    return line;
  }

  std::string MakeVeryLong(std::size_t index, Random& random) const {
    std::string line;
    while (line.size() < 100000) {
      if (index == kLineCount - 4) {
        line += Words(random, 10);
      } else if (index == kLineCount - 3) {
        line += 'a';
      } else if (index == kLineCount - 2) {
        line += Splice(random);
      } else {
        line += static_cast<char>(random.Below(256));
      }
    }
    return line;
  }

  std::vector<std::string> seeds_;
  std::vector<Characters> characters_;
  std::vector<std::vector<std::string>> words_;
};

}  // namespace

std::vector<std::string> SeedLines() {
  const auto bytes = ReadFixture("text/seed.txt");
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::string> lines;
  for (std::size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
    lines.emplace_back(rest.substr(0, end));
  }
  return lines;
}

const std::vector<std::string>& TestLines() {
  static const std::vector<std::string> lines = [] {
    const LineMaker maker;
    std::vector<std::string> result;
    for (std::size_t i = 0; i < kLineCount; ++i) result.push_back(maker.Make(i));
    return result;
  }();
  return lines;
}

std::uint32_t Crc32(std::string_view bytes, std::uint32_t crc) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> result{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0xEDB88320 : 0);
      result[i] = value;
    }
    return result;
  }();
  crc = ~crc;
  for (const char byte : bytes) {
    crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  }
  return ~crc;
}

std::string LittleEndian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

}  // namespace translucent::test
