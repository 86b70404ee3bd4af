// The pieces of a SentencePiece model and the tries that find them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/double_array.h"

namespace translucent {

/// The library refuses pieces of this many bytes and more.
inline constexpr std::size_t kMaxPieceBytes = 8000;

/// As numbered in sentencepiece_model.proto.
enum class PieceType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct VocabularyPiece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::kNormal;
};

/// A stretch of normalised text and the piece it became. The text is the piece's, or, where the id
/// is the unknown one, a character that no piece covers.
struct Segment {
  std::string_view text;
  int id;
};

/// Immutable after construction.
class PieceVocabulary {
 public:
  /// Checks the pieces as the library does and throws Error, naming `what` and the piece.
  /// `one_namespace`: no text may occur twice, as in BPE models; otherwise one control, unknown or
  /// byte piece may share its text with a piece of another type.
  PieceVocabulary(std::vector<VocabularyPiece> pieces, bool byte_fallback, bool one_namespace,
                  std::string_view what);

  int size() const { return static_cast<int>(pieces_.size()); }
  const VocabularyPiece& operator[](int id) const { return pieces_[id]; }
  PieceType type(int id) const { return pieces_[id].type; }

  /// The id of a piece of any type, or -1.
  int Find(std::string_view text) const;
  /// -1 if there is none, which only a model with byte fallback can do without.
  int unknown_id() const { return unknown_id_; }
  bool byte_fallback() const { return byte_fallback_; }
  /// The id of the piece of a byte; only with byte fallback.
  int byte_id(unsigned char byte) const { return byte_ids_[byte]; }
  /// The byte that a piece of type kByte stands for.
  unsigned char byte_value(int id) const;

  bool has_unused() const { return has_unused_; }

  /// Pieces that text can be segmented into: NORMAL, USER_DEFINED and UNUSED; the numbers are ids.
  const DoubleArray& searchable() const { return searchable_; }
  /// The USER_DEFINED ones alone.
  const DoubleArray& user_defined() const { return user_defined_; }

 private:
  std::vector<VocabularyPiece> pieces_;
  bool byte_fallback_;
  bool has_unused_ = false;
  int unknown_id_ = -1;
  std::array<int, 256> byte_ids_;
  DoubleArray searchable_;
  DoubleArray user_defined_;
  DoubleArray reserved_;  // CONTROL, UNKNOWN and BYTE pieces, which never match text
};

}  // namespace translucent
