#include "text/spm_file.h"

#include "base/error.h"
#include "text/protobuf.h"

// Field numbers and defaults: github.com/google/sentencepiece, src/sentencepiece_model.proto.

namespace translucent {
namespace {

VocabularyPiece ParsePiece(ProtobufReader reader, std::string_view what) {
  VocabularyPiece piece;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        piece.text = reader.Bytes("piece");
        break;
      case 2:
        piece.score = reader.Float("score");
        break;
      case 3: {
        const std::uint64_t type = reader.Varint("type");
        if (type < 1 || type > 6) throw Error(what, "type " + std::to_string(type) + " is unknown");
        piece.type = static_cast<PieceType>(type);
        break;
      }
    }
  }
  return piece;
}

void ParseTrainerSpec(ProtobufReader reader, std::string_view what, SpmFile* file) {
  while (reader.Next()) {
    switch (reader.field()) {
      case 3: {
        const std::uint64_t type = reader.Varint("model_type");
        if (type != 1 && type != 2) {
          throw Error(what, "model_type " + std::to_string(type) +
                                " is not supported: neither 1, unigram, nor 2, BPE");
        }
        file->is_bpe = type == 2;
        break;
      }
      case 24:
        file->normalizer.treat_whitespace_as_suffix = reader.Bool("treat_whitespace_as_suffix");
        break;
      case 35:
        file->byte_fallback = reader.Bool("byte_fallback");
        break;
      case 44:
        file->unknown_surface = reader.Bytes("unk_surface");
        break;
    }
  }
}

void ParseNormalizerSpec(ProtobufReader reader, NormalizerSpec* spec) {
  while (reader.Next()) {
    switch (reader.field()) {
      case 2:
        spec->precompiled_charsmap = reader.Bytes("precompiled_charsmap");
        break;
      case 3:
        spec->add_dummy_prefix = reader.Bool("add_dummy_prefix");
        break;
      case 4:
        spec->remove_extra_whitespaces = reader.Bool("remove_extra_whitespaces");
        break;
      case 5:
        spec->escape_whitespaces = reader.Bool("escape_whitespaces");
        break;
    }
  }
}

}  // namespace

SpmFile ParseSpm(std::span<const std::byte> bytes, std::string_view name) {
  const std::string_view message(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (message.empty()) throw Error(name, "empty file");

  SpmFile file;
  ProtobufReader reader(message, name);
  // A reader of the message inside the current field, and what to call it in errors.
  const auto inner = [&](std::string_view field, const std::string& what) {
    const std::string_view contents = reader.Bytes(field);
    return ProtobufReader(contents, what, reader.offset());
  };
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        const std::string what =
            std::string(name) + ": piece " + std::to_string(file.pieces.size());
        file.pieces.push_back(ParsePiece(inner("pieces", what), what));
        break;
      }
      case 2: {
        const std::string what = std::string(name) + ": trainer_spec";
        ParseTrainerSpec(inner("trainer_spec", what), what, &file);
        break;
      }
      case 3:
        ParseNormalizerSpec(inner("normalizer_spec", std::string(name) + ": normalizer_spec"),
                            &file.normalizer);
        break;
      case 5:
        ParseNormalizerSpec(inner("denormalizer_spec", std::string(name) + ": denormalizer_spec"),
                            &file.denormalizer);
        break;
    }
  }
  return file;
}

}  // namespace translucent
