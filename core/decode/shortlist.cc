#include "decode/shortlist.h"

#include <cstdio>
#include <cstring>
#include <string>

#include "base/error.h"
#include "tensor/packing.h"

namespace translucent {
namespace {

constexpr std::uint64_t kMagic = 0xF11A48D5013417F5;
constexpr std::size_t kHeaderBytes = 6 * sizeof(std::uint64_t);

template <class T>
T Read(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::string Hexadecimal(std::uint64_t value) {
  char text[2 + 16 + 1];
  std::snprintf(text, sizeof text, "0x%016llX", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

Shortlist::Shortlist(const Checkpoint& checkpoint)
    : Shortlist(checkpoint.File(kShortlistFile), checkpoint.PathOf(kShortlistFile),
                checkpoint.config().vocab_size, checkpoint.config().decoder_vocab_size,
                &checkpoint.source_vocabulary() == &checkpoint.target_vocabulary()) {}

Shortlist::Shortlist(std::span<const std::byte> file, const std::string& path, int source_size,
                     int target_size, bool same_vocabulary)
    : source_size_(source_size), target_size_(target_size), same_vocabulary_(same_vocabulary) {
  const auto fail = [&](std::string_view field, const std::string& why) {
    throw Error(path + ": field '" + std::string(field) + "'", why);
  };
  const auto text = [](std::uint64_t number) { return std::to_string(number); };
  if (file.size() < kHeaderBytes) {
    throw Error(path, text(file.size()) + " bytes, its header alone has " + text(kHeaderBytes));
  }
  std::uint64_t header[6];
  std::memcpy(header, file.data(), kHeaderBytes);
  const auto [magic, checksum, first, best, offsets, ids] = header;
  if (magic != kMagic) fail("magic", Hexadecimal(magic) + ", not " + Hexadecimal(kMagic));
  const std::uint64_t sources = static_cast<std::uint64_t>(source_size_);
  const std::uint64_t targets = static_cast<std::uint64_t>(target_size_);
  const std::string of_targets = " of the target vocabulary's " + text(targets);
  if (first > targets) fail("firstNum", text(first) + of_targets);
  if (best > targets) fail("bestNum", text(best) + of_targets);
  if (offsets != sources + 1) {
    fail("wordToOffsetSize",
         text(offsets) + ", not the source vocabulary's " + text(sources) + " + 1");
  }
  // Of numbers that are in the file's range, sums and products are.
  if (ids > file.size()) {
    fail("shortListsSize", text(ids) + " ids in a file of " + text(file.size()) + " bytes");
  }
  const std::uint64_t size =
      kHeaderBytes + offsets * sizeof(std::uint64_t) + ids * sizeof(std::uint32_t);
  if (file.size() != size) {
    throw Error(path, text(file.size()) + " bytes, its header asks for " + text(size));
  }
  offsets_ = file.data() + kHeaderBytes;
  lists_ = offsets_ + offsets * sizeof(std::uint64_t);
  first_ = static_cast<int>(first);
  best_ = static_cast<int>(best);

  // All offsets before the first id: none of them may lead out of the file.
  if (Offset(0) != 0) fail("wordToOffset", "begins with " + text(Offset(0)) + ", not 0");
  for (int source = 0; source < source_size_; ++source) {
    const std::uint64_t begin = Offset(source), end = Offset(source + 1);
    const std::string of_source = " of source id " + std::to_string(source);
    if (end < begin)
      fail("wordToOffset",
           "the end" + of_source + ", " + text(end) + ", lies before its begin, " + text(begin));
    if (end > ids)
      fail("wordToOffset",
           "the end" + of_source + ", " + text(end) + ", lies behind the " + text(ids) + " ids");
    if (end - begin > best) {
      fail("wordToOffset", text(end - begin) + " ids" + of_source + ", bestNum is " + text(best));
    }
  }
  if (Offset(source_size_) != ids) {
    fail("wordToOffset",
         "ends with " + text(Offset(source_size_)) + ", shortListsSize is " + text(ids));
  }
  for (int source = 0; source < source_size_; ++source) {
    const std::uint64_t begin = Offset(source), end = Offset(source + 1);
    const std::string of_source = " of source id " + std::to_string(source);
    for (std::uint64_t i = begin; i < end; ++i) {
      const std::uint32_t id = ListedId(i);
      if (id >= targets) {
        fail("shortLists", "id " + text(id) + of_source + " is not among the " + text(targets) +
                               " of the target vocabulary");
      }
      if (i > begin && id <= ListedId(i - 1)) {
        fail("shortLists",
             "id " + text(id) + of_source + " stands behind " + text(ListedId(i - 1)));
      }
    }
  }
}

std::uint64_t Shortlist::Offset(int source_id) const {
  return Read<std::uint64_t>(offsets_ +
                             static_cast<std::size_t>(source_id) * sizeof(std::uint64_t));
}

std::uint32_t Shortlist::ListedId(std::uint64_t index) const {
  return Read<std::uint32_t>(lists_ + static_cast<std::size_t>(index) * sizeof(std::uint32_t));
}

std::vector<int> Shortlist::Allowed(std::span<const std::vector<int>> sentences,
                                    std::span<const int> also) const {
  std::vector<char> allowed(target_size_, 0);
  int count = 0;
  const auto allow = [&](int id) {
    count += allowed[id] == 0;
    allowed[id] = 1;
  };
  for (int id = 0; id < first_; ++id) allow(id);
  for (const int id : also) allow(id);
  for (const std::vector<int>& sentence : sentences) {
    for (const int source : sentence) {
      if (same_vocabulary_) allow(source);
      const std::uint64_t end = Offset(source + 1);
      for (std::uint64_t i = Offset(source); i < end; ++i) allow(static_cast<int>(ListedId(i)));
    }
  }
  for (int id = first_; count % kPanelRows != 0 && id < target_size_; ++id) allow(id);

  std::vector<int> ids;
  ids.reserve(count);
  for (int id = 0; id < target_size_; ++id) {
    if (allowed[id] != 0) ids.push_back(id);
  }
  return ids;
}

}  // namespace translucent
