#include "text/vocabulary.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace translucent {
namespace {

using Keys = std::vector<DoubleArray::Key>;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that a piece like "<0x0A>" stands for, or -1.
int ByteOf(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
  const int high = HexDigit(piece[3]);
  const int low = HexDigit(piece[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

[[noreturn]] void Fail(std::string_view what, int id, std::string_view why) {
  throw Error(std::string(what) + ": piece " + std::to_string(id), why);
}

// Sorts, and reports a text that occurs twice.
DoubleArray BuildTrie(Keys keys, std::string_view what) {
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(
      keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice != keys.end()) {
    Fail(what, twice[1].second, "the same as piece " + std::to_string(twice->second));
  }
  return DoubleArray::Build(keys);
}

}  // namespace

PieceVocabulary::PieceVocabulary(std::vector<VocabularyPiece> pieces, bool byte_fallback,
                                 bool one_namespace, std::string_view what)
    : pieces_(std::move(pieces)), byte_fallback_(byte_fallback) {
  byte_ids_.fill(-1);
  Keys searchable;
  Keys user_defined;
  Keys reserved;
  for (int id = 0; id < size(); ++id) {
    VocabularyPiece& piece = pieces_[id];
    const std::string_view text = piece.text;
    if (text.empty()) Fail(what, id, "empty");
    if (text.size() >= kMaxPieceBytes) {
      Fail(what, id, "longer than " + std::to_string(kMaxPieceBytes - 1) + " bytes");
    }
    if (!std::isfinite(piece.score)) Fail(what, id, "the score is no number");
    if (text.find('\0') != text.npos) {
      // Some converters leave a lone NUL piece beside <0x00>; the library passes it over.
      if (text.size() > 1 || !(byte_fallback || piece.type == PieceType::kUnused)) {
        Fail(what, id, "contains a NUL byte");
      }
      piece.type = PieceType::kUnused;
      continue;
    }
    switch (piece.type) {
      case PieceType::kUserDefined:
        user_defined.emplace_back(text, id);
        [[fallthrough]];
      case PieceType::kNormal:
      case PieceType::kUnused:
        has_unused_ = has_unused_ || piece.type == PieceType::kUnused;
        searchable.emplace_back(text, id);
        break;
      case PieceType::kUnknown:
        if (unknown_id_ >= 0) {
          Fail(what, id, "a second unknown piece after " + std::to_string(unknown_id_));
        }
        unknown_id_ = id;
        reserved.emplace_back(text, id);
        break;
      case PieceType::kByte: {
        const int byte = ByteOf(text);
        if (byte < 0) Fail(what, id, "of type byte but not <0x00> to <0xFF>");
        if (!byte_fallback) Fail(what, id, "of type byte, but byte_fallback is off");
        byte_ids_[byte] = id;
        reserved.emplace_back(text, id);
        break;
      }
      case PieceType::kControl:
        reserved.emplace_back(text, id);
        break;
    }
  }
  if (searchable.empty()) throw Error(what, "pieces: none that text could be made of");
  if (unknown_id_ < 0 && !byte_fallback) throw Error(what, "pieces: none of type unknown");
  if (byte_fallback) {
    const auto missing = std::find(byte_ids_.begin(), byte_ids_.end(), -1);
    if (missing != byte_ids_.end()) {
      throw Error(what, "pieces: byte_fallback is on, but the piece of byte " +
                            std::to_string(missing - byte_ids_.begin()) + " is missing");
    }
  }
  if (one_namespace) {
    Keys all = searchable;
    all.insert(all.end(), reserved.begin(), reserved.end());
    BuildTrie(std::move(all), what);
  }
  searchable_ = BuildTrie(std::move(searchable), what);
  user_defined_ = BuildTrie(std::move(user_defined), what);
  reserved_ = BuildTrie(std::move(reserved), what);
}

int PieceVocabulary::Find(std::string_view text) const {
  const int id = reserved_.Find(text);
  return id >= 0 ? id : searchable_.Find(text);
}

unsigned char PieceVocabulary::byte_value(int id) const {
  return static_cast<unsigned char>(ByteOf(pieces_[id].text));
}

}  // namespace translucent
