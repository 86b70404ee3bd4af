#include "text/sentencepiece.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "text/bpe.h"
#include "text/normalizer.h"
#include "text/spm_file.h"
#include "text/unigram.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

namespace translucent {

struct SentencePiece::Model {
  Model(SpmFile file, std::string_view name)
      : name(name),
        vocabulary(std::move(file.pieces), file.byte_fallback, file.is_bpe, name),
        normalizer(file.normalizer, std::string(name) + ": normalizer_spec"),
        unknown_surface(std::move(file.unknown_surface)) {
    if (!file.is_bpe) unigram.emplace(vocabulary);
    if (!file.denormalizer.precompiled_charsmap.empty()) {
      denormalizer.emplace(file.denormalizer, std::string(name) + ": denormalizer_spec");
    }
    // The decoder drops the space that the encoder put before the text.
    drop_first_space = file.normalizer.add_dummy_prefix || file.normalizer.remove_extra_whitespaces;
    drop_all_first_spaces = file.normalizer.remove_extra_whitespaces;
  }

  const VocabularyPiece& PieceAt(int id) const {
    if (id >= 0 && id < vocabulary.size()) return vocabulary[id];
    throw Error(name, "id " + std::to_string(id) + " in a vocabulary of " +
                          std::to_string(vocabulary.size()));
  }

  std::string name;
  PieceVocabulary vocabulary;
  Normalizer normalizer;
  std::optional<Normalizer> denormalizer;
  std::optional<UnigramModel> unigram;  // none in a BPE model
  std::string unknown_surface;
  bool drop_first_space;
  bool drop_all_first_spaces;
};

SentencePiece::SentencePiece(std::span<const std::byte> bytes, std::string_view name)
    : model_(std::make_unique<const Model>(ParseSpm(bytes, name), name)) {}
SentencePiece::~SentencePiece() = default;
SentencePiece::SentencePiece(SentencePiece&&) noexcept = default;
SentencePiece& SentencePiece::operator=(SentencePiece&&) noexcept = default;

std::vector<Piece> SentencePiece::Encode(std::string_view text) const {
  const PieceVocabulary& vocabulary = model_->vocabulary;
  const NormalizedText normalized = model_->normalizer.Normalize(text, vocabulary.user_defined());
  const std::vector<Segment> segments = model_->unigram ? model_->unigram->Encode(normalized.text)
                                                        : EncodeBpe(vocabulary, normalized.text);
  std::vector<Piece> pieces;
  pieces.reserve(segments.size());
  std::size_t position = 0;  // in the normalised text
  bool after_unknown = false;
  for (const Segment& segment : segments) {
    const std::size_t begin = normalized.source[position];
    position += segment.text.size();
    const std::size_t end = normalized.source[position];
    const bool unknown = segment.id == vocabulary.unknown_id();
    if (!unknown) {
      pieces.push_back({std::string(segment.text), segment.id, begin, end});
    } else if (vocabulary.byte_fallback()) {
      for (const char byte : segment.text) {
        const int id = vocabulary.byte_id(static_cast<unsigned char>(byte));
        pieces.push_back({vocabulary[id].text, id, begin, begin});
      }
      pieces.back().end = end;
    } else if (after_unknown) {
      pieces.back().text += segment.text;
      pieces.back().end = end;
    } else {
      pieces.push_back({std::string(segment.text), segment.id, begin, end});
    }
    after_unknown = unknown;
  }
  return pieces;
}

/// What one piece stands for. `id` is -1 where the model does not know the text.
struct SentencePiece::DecodedPiece {
  int id;
  PieceType type;
  std::string_view text;
};

std::string SentencePiece::Decode(std::span<const int> ids, std::vector<std::size_t>* ends) const {
  std::vector<DecodedPiece> pieces;
  pieces.reserve(ids.size());
  for (const int id : ids) {
    const VocabularyPiece& piece = model_->PieceAt(id);
    pieces.push_back({id, piece.type, piece.text});
  }
  return Join(pieces, ends);
}

std::string SentencePiece::DecodePieces(std::span<const std::string_view> texts,
                                        std::vector<std::size_t>* ends) const {
  std::vector<DecodedPiece> pieces;
  pieces.reserve(texts.size());
  for (const std::string_view text : texts) {
    const int id = Find(text);
    pieces.push_back({id, id < 0 ? PieceType::kNormal : model_->vocabulary[id].type, text});
  }
  return Join(pieces, ends);
}

std::string SentencePiece::Join(std::span<const DecodedPiece> pieces,
                                std::vector<std::size_t>* ends) const {
  const PieceVocabulary& vocabulary = model_->vocabulary;
  std::string text;
  std::vector<std::size_t> local_ends;
  std::vector<std::size_t>& piece_ends = ends ? *ends : local_ends;
  piece_ends.clear();
  piece_ends.reserve(pieces.size());

  // Bytes are held back until the run of byte pieces ends, then written character by character.
  std::string bytes;
  const auto write_bytes = [&] {
    for (std::string_view rest = bytes; !rest.empty();) {
      const Utf8Character character = DecodeUtf8(rest);
      // The last byte of a character carries it.
      piece_ends.insert(piece_ends.end(), character.length - 1, text.size());
      text += character.valid ? rest.substr(0, character.length) : kReplacementCharacterUtf8;
      piece_ends.push_back(text.size());
      rest.remove_prefix(character.length);
    }
    bytes.clear();
  };

  bool at_beginning = true;
  for (const DecodedPiece& piece : pieces) {
    if (piece.type == PieceType::kByte) {
      bytes += static_cast<char>(vocabulary.byte_value(piece.id));
      continue;
    }
    write_bytes();
    if (!text.empty()) at_beginning = false;
    if (piece.type == PieceType::kUnknown) {
      text += model_->unknown_surface;
    } else if (piece.type != PieceType::kControl) {
      std::string_view rest = piece.text;
      if (at_beginning && model_->drop_first_space && rest.starts_with(kSpaceSymbol)) {
        rest.remove_prefix(kSpaceSymbol.size());
        if (!model_->drop_all_first_spaces) at_beginning = false;
      }
      for (std::size_t space; (space = rest.find(kSpaceSymbol)) != rest.npos;
           rest.remove_prefix(space + kSpaceSymbol.size())) {
        text += rest.substr(0, space);
        text += ' ';
      }
      text += rest;
    }
    piece_ends.push_back(text.size());
  }
  write_bytes();

  if (!model_->denormalizer) return text;
  NormalizedText result = model_->denormalizer->Normalize(text, {});
  // What came from before a piece's end ends before it.
  for (std::size_t& end : piece_ends) {
    const auto first_after = std::lower_bound(
        result.source.begin(),
        result.source.begin() + static_cast<std::ptrdiff_t>(result.text.size()), end);
    end = static_cast<std::size_t>(first_after - result.source.begin());
  }
  return std::move(result.text);
}

int SentencePiece::size() const { return model_->vocabulary.size(); }

const std::string& SentencePiece::piece(int id) const { return model_->PieceAt(id).text; }

int SentencePiece::Find(std::string_view piece) const { return model_->vocabulary.Find(piece); }
int SentencePiece::unknown_id() const { return model_->vocabulary.unknown_id(); }
bool SentencePiece::byte_fallback() const { return model_->vocabulary.byte_fallback(); }

}  // namespace translucent
