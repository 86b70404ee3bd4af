// Reads SentencePiece model files (.spm) and runs them: text -> pieces with byte ranges, pieces ->
// text.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace translucent {

/// One piece of a segmented text. [begin, end) are byte offsets into the original text, so that the
/// ranges of all pieces, in order, never overlap; a piece without source bytes (the dummy prefix,
/// all but the last byte of a byte-fallback run) has begin == end.
struct Piece {
  std::string text;  // as in the model, e.g. "▁dog"; for unknown text the normalised surface
  int id = 0;        // position in the .spm file
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A SentencePiece model: unigram or BPE. Immutable after construction; safe to share between
/// threads.
class SentencePiece {
 public:
  /// Parses the bytes of a .spm file; `name` is used in errors. Throws Error naming file and field.
  SentencePiece(std::span<const std::byte> bytes, std::string_view name);
  ~SentencePiece();
  SentencePiece(SentencePiece&&) noexcept;
  SentencePiece& operator=(SentencePiece&&) noexcept;

  /// Normalises and segments `text` (any bytes: invalid UTF-8 becomes U+FFFD). Identical to the
  /// sentencepiece library's ids. No end symbol is added.
  std::vector<Piece> Encode(std::string_view text) const;

  /// Joins pieces to text; the inverse of Encode up to normalisation. If `ends` is given it
  /// receives, for each piece, the byte offset in the result at which the piece ends.
  std::string Decode(std::span<const int> ids, std::vector<std::size_t>* ends = nullptr) const;

  /// The same for pieces by their text. One that the model does not know stands for itself, as in
  /// the library: vocabularies of OPUS-MT models hold pieces of other models too. Its ▁ is a space
  /// all the same, as in transformers.
  std::string DecodePieces(std::span<const std::string_view> pieces,
                           std::vector<std::size_t>* ends = nullptr) const;

  int size() const;
  const std::string& piece(int id) const;
  /// Id of a piece string, or -1.
  int Find(std::string_view piece) const;
  int unknown_id() const;
  bool byte_fallback() const;

 private:
  struct Model;
  struct DecodedPiece;
  std::string Join(std::span<const DecodedPiece> pieces, std::vector<std::size_t>* ends) const;
  std::unique_ptr<const Model> model_;
};

}  // namespace translucent
