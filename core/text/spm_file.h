// The contents of a .spm file: one ModelProto message of sentencepiece_model.proto.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalizer.h"
#include "text/vocabulary.h"

namespace translucent {

/// What running a model needs; what only training needs is passed over.
struct SpmFile {
  std::vector<VocabularyPiece> pieces;
  bool is_bpe = false;  // otherwise a unigram model
  bool byte_fallback = false;
  std::string unknown_surface = " \xE2\x81\x87 ";  // what an unknown piece is decoded to
  NormalizerSpec normalizer;                       // these two point into the file's bytes
  NormalizerSpec denormalizer;
};

/// Throws Error, naming `name` and the field, on bytes that are no such message.
SpmFile ParseSpm(std::span<const std::byte> bytes, std::string_view name);

}  // namespace translucent
