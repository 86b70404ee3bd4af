// Broken .spm files: one Error that names file and field, never a crash, a hang or a huge
// allocation. Run it under the sanitizers.

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "../fixtures.h"
#include "base/error.h"
#include "lines.h"
#include "spm_bytes.h"
#include "text/sentencepiece.h"

namespace translucent::test {
namespace {

// A text that meets most paths: spaces, unknown characters, symbols, broken bytes, repetition.
const std::string& Probe() {
  static const std::string text =
      "  The dog \uFF11\uFB01\t\u72D7\u8FFD\u732B [MASK] \U0001F600\x80\xE2\x96 e\u0301 " +
      std::string(300, 'a') + "\u2581foo bar ";
  return text;
}

// What the reader says about `bytes`: the error, or nothing if they are a model, which then has to
// run.
std::string Try(std::string_view bytes) {
  try {
    const SentencePiece model(AsBytes(bytes), "x.spm");
    std::vector<int> ids;
    for (const Piece& piece : model.Encode(Probe())) {
      ids.push_back(piece.id);
      REQUIRE(piece.begin <= piece.end);
      REQUIRE(piece.end <= Probe().size());
      REQUIRE(piece.id >= 0);
      REQUIRE(piece.id < model.size());
    }
    for (int id = 0; id < model.size(); ++id) ids.push_back(id);
    model.Decode(ids);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::string ReadModel(std::string_view name) {
  const auto bytes = ReadFixture("text/" + std::string(name) + ".spm");
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

TEST_CASE("a broken .spm is one error that names file and field") {
  const std::string unknown = PieceField("<unk>", 0, 2);
  const std::string good = unknown + PieceField("a", -1);
  const auto trainer = [](std::string_view fields) { return BytesField(2, fields); };
  const auto charsmap = [&](std::string_view bytes) {
    return good + BytesField(3, BytesField(2, bytes));
  };
  CHECK(Try(good) == "");
  CHECK(Try(good + BytesField(200, "an extension") + Varint(201 << 3 | 1) + "12345678") == "");

  CHECK(Try("") == "x.spm: empty file");
  CHECK(Try("hello") == "x.spm: byte 2: field 13 has wire type 4, which is not supported");
  CHECK(Try("\n") == "x.spm: byte 1: truncated");
  CHECK(Try(good + PieceField("")) == "x.spm: piece 2: empty");
  CHECK(Try(good + BytesField(1, "")) == "x.spm: piece 2: empty");
  CHECK(Try(good + PieceField("a")) == "x.spm: piece 2: the same as piece 1");
  CHECK(Try(good + PieceField("b", 0, 9)) == "x.spm: piece 2: type 9 is unknown");
  CHECK(Try(good + PieceField("b", std::numeric_limits<float>::quiet_NaN())) ==
        "x.spm: piece 2: the score is no number");
  CHECK(Try(good + PieceField("b", -std::numeric_limits<float>::infinity())) ==
        "x.spm: piece 2: the score is no number");
  CHECK(Try(good + PieceField(std::string_view("b\0c", 3))) ==
        "x.spm: piece 2: contains a NUL byte");
  CHECK(Try(good + PieceField(std::string(8000, 'b'))) == "x.spm: piece 2: longer than 7999 bytes");
  CHECK(Try(good + PieceField("<u>", 0, 2)) == "x.spm: piece 2: a second unknown piece after 0");
  CHECK(Try(PieceField("a")) == "x.spm: pieces: none of type unknown");
  CHECK(Try(unknown) == "x.spm: pieces: none that text could be made of");
  CHECK(Try(good + PieceField("<0x41>", 0, 6)) ==
        "x.spm: piece 2: of type byte, but byte_fallback is off");
  CHECK(Try(good + trainer(NumberField(35, 1)) + PieceField("<0x4g>", 0, 6)) ==
        "x.spm: piece 2: of type byte but not <0x00> to <0xFF>");
  CHECK(Try(good + trainer(NumberField(35, 1))) ==
        "x.spm: pieces: byte_fallback is on, but the piece of byte 0 is missing");
  CHECK(Try(good + trainer(NumberField(3, 4))) ==
        "x.spm: trainer_spec: model_type 4 is not supported: neither 1, unigram, nor 2, BPE");
  CHECK(Try(good + trainer(BytesField(3, "bpe"))) ==
        "x.spm: trainer_spec: byte 32: model_type has wire type 2, not 0");
  CHECK(Try(good + NumberField(1, 7)) == "x.spm: byte 29: pieces has wire type 0, not 2");
  CHECK(Try(good + BytesField(1, NumberField(2, 7))) ==
        "x.spm: piece 2: byte 31: score has wire type 0, not 5");
  CHECK(Try(good + Varint(1 << 3 | 3)) ==
        "x.spm: byte 28: field 1 has wire type 3, which is not supported");
  CHECK(Try(good + '\0') == "x.spm: byte 28: no protocol-buffer field");
  CHECK(Try(good + std::string(11, '\x80')) == "x.spm: byte 28: a number of more than 10 bytes");
  CHECK(Try(good + Varint(1 << 3 | 2) + Varint(~0ull)) ==
        "x.spm: byte 28: field 1 says it has 18446744073709551615 bytes, 0 are left");
  CHECK(Try(good + BytesField(1, Varint(2 << 3 | 5) + "12")) ==
        "x.spm: piece 2: byte 30: truncated");

  CHECK(Try(charsmap("abc")) == "x.spm: normalizer_spec: precompiled_charsmap: truncated");
  CHECK(Try(charsmap(LittleEndian(99) + "abcd")) ==
        "x.spm: normalizer_spec: precompiled_charsmap: a trie of 99 bytes in 4 bytes");
  CHECK(Try(charsmap(LittleEndian(3) + "abcd")) ==
        "x.spm: normalizer_spec: precompiled_charsmap: a trie of 3 bytes, not of whole units");
  CHECK(Try(charsmap(LittleEndian(4) + "abcd")) ==
        "x.spm: normalizer_spec: precompiled_charsmap: the replacements do not end with a NUL "
        "byte");
  CHECK(Try(charsmap(LittleEndian(4) + "abcd" + "efg" + '\0')) == "");
}

TEST_CASE("control pieces may share a text with a normal one in a unigram model only") {
  const std::string both = PieceField("<unk>", 0, 2) + PieceField("<s>", 0, 3) + PieceField("<s>");
  CHECK(Try(both) == "");
  CHECK(Try(both + BytesField(2, NumberField(3, 2))) == "x.spm: piece 2: the same as piece 1");
}

TEST_CASE("a model with byte fallback can do without an unknown piece") {
  std::string file = BytesField(2, NumberField(35, 1)) + PieceField("a");
  for (int byte = 0; byte < 256; ++byte) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    file += PieceField(std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">", 0, 6);
  }
  file += PieceField(std::string_view("\0", 1));  // some converters leave it; passed over
  REQUIRE(Try(file) == "");
  const SentencePiece model(AsBytes(file), "x.spm");
  CHECK(model.unknown_id() == -1);
  CHECK(model.Encode("ab").size() == 5);  // dummy prefix in three bytes, "a", "b" in one
}

TEST_CASE("every truncation of a model is an error or a model") {
  for (const std::string_view name : {"unigram-rules", "bpe-unused"}) {
    const std::string model = ReadModel(name);
    std::size_t errors = 0;
    for (std::size_t size = 0; size < model.size(); size += size < 300 ? 1 : 23) {
      errors += Try(std::string_view(model).substr(0, size)) != "";
    }
    for (std::size_t size = model.size() - 300; size < model.size(); ++size) {
      errors += Try(std::string_view(model).substr(0, size)) != "";
    }
    CHECK(errors > 500);
  }
}

TEST_CASE("changed bytes give an error or a model that runs") {
  std::size_t errors = 0;
  for (const std::string_view name : {"unigram-rules", "unigram-identity-raw", "bpe-identity",
                                      "bpe-unused", "unigram-nmt_nfkc", "bpe-nfkc-symbols"}) {
    const std::string model = ReadModel(name);
    const std::size_t rounds = model.size() > 100000 ? 60 : 250;
    Random random(model.size());
    for (std::size_t round = 0; round < rounds; ++round) {
      std::string changed = model;
      // Mostly one change, sometimes many; in every other round near the end, where the specs are.
      for (std::size_t count = 1 + (random.Below(4) == 0 ? random.Below(50) : 0); count > 0;
           --count) {
        std::size_t at = random.Below(changed.size());
        if (round % 2 == 1) at = changed.size() - 1 - random.Below(600) % changed.size();
        switch (random.Below(4)) {
          case 0:
            changed[at] = static_cast<char>(changed[at] ^ 1 << random.Below(8));
            break;
          case 1:
            changed[at] = static_cast<char>(random.Below(256));
            break;
          case 2:  // a number that lies
            changed.replace(at, 1, Varint(random.Next() >> random.Below(64)));
            break;
          default:
            changed.erase(at, 1 + random.Below(8));
        }
      }
      errors += Try(changed) != "";
    }
  }
  CHECK(errors > 100);
}

TEST_CASE("a hostile charsmap cannot make normalisation slow") {
  // The unit of "a" leads back to itself, so that every "a" would be read on to the text's end.
  std::string trie;
  for (std::uint32_t unit = 0; unit < 256; ++unit) {
    trie += LittleEndian(unit == 'a' ? 'a' | 'a' << 10 : 0);
  }
  const std::string file =
      PieceField("<unk>", 0, 2) + PieceField("a", -1) +
      BytesField(3, BytesField(2, LittleEndian(1024) + trie + std::string("b\0", 2)));
  const SentencePiece model(AsBytes(file), "x.spm");
  model.Encode(std::string(20000, 'a'));
}

}  // namespace
}  // namespace translucent::test
