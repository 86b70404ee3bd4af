// The vocabulary shortlist: which target ids the words of a batch can become, so that the search
// need not compute the logits of all others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/checkpoint.h"

namespace translucent {

inline constexpr std::string_view kShortlistFile = "shortlist.bin";

/// A lexical shortlist as Marian writes it (lex.*.bin): for each source id the target ids that it
/// is most often translated to, and how many of the vocabulary's first are always allowed. Reads
/// the file where it lies: the checkpoint must outlive it. Immutable.
///
/// The file, little-endian: u64 magic, checksum, firstNum, bestNum, wordToOffsetSize (source ids
/// + 1), shortListsSize; wordToOffset, u64 each; shortLists, u32 target ids, ascending for each
/// source id. The checksum is not looked at: it is made with the writer's std::hash.
class Shortlist {
 public:
  /// Throws Error naming file and field where one is not what the model asks for.
  explicit Shortlist(const Checkpoint& checkpoint);
  /// The file's bytes and its path, for errors; ids of both vocabularies, which may be the same
  /// one.
  Shortlist(std::span<const std::byte> file, const std::string& path, int source_size,
            int target_size, bool same_vocabulary);

  /// What a batch of `sentences` (source ids) may be translated with, in ascending order: the first
  /// ids, every source id's list, where both sides share a vocabulary the source ids themselves,
  /// and `also`. Of the ids that follow the first so many are added that the kernels' panels are
  /// full: they cost nothing.
  std::vector<int> Allowed(std::span<const std::vector<int>> sentences,
                           std::span<const int> also) const;

  /// Ids that are always allowed: those below.
  int first() const { return first_; }
  /// The most target ids a source id has.
  int best() const { return best_; }

 private:
  std::uint64_t Offset(int source_id) const;
  std::uint32_t ListedId(std::uint64_t index) const;

  const std::byte* offsets_;  // [source_size + 1] u64, of any alignment
  const std::byte* lists_;    // [the last offset] u32, likewise
  int source_size_;
  int target_size_;
  bool same_vocabulary_;
  int first_;
  int best_;
};

}  // namespace translucent
