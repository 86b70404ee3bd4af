// The reader against what the sentencepiece library (0.2.3) made of the same models and lines;
// scripts/fixtures/text.py wrote both models and expectations.

#include "text/sentencepiece.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "../fixtures.h"
#include "base/error.h"
#include "lines.h"

namespace translucent::test {
namespace {

SentencePiece Load(std::string_view model) {
  return SentencePiece(ReadFixture("text/" + std::string(model) + ".spm"),
                       std::string(model) + ".spm");
}

std::vector<int> Ids(const std::vector<Piece>& pieces) {
  std::vector<int> ids;
  for (const Piece& piece : pieces) ids.push_back(piece.id);
  return ids;
}

std::vector<std::string> Texts(const std::vector<Piece>& pieces) {
  std::vector<std::string> texts;
  for (const Piece& piece : pieces) texts.push_back(piece.text);
  return texts;
}

// Of everything the library says about a line: ids, ranges, pieces and what they decode to.
std::uint32_t Checksum(const SentencePiece& model, std::string_view line) {
  const std::vector<Piece> pieces = model.Encode(line);
  std::uint32_t crc = 0;
  for (const Piece& piece : pieces) {
    for (const std::size_t number :
         {static_cast<std::size_t>(piece.id), piece.begin, piece.end, piece.text.size()}) {
      crc = Crc32(LittleEndian(static_cast<std::uint32_t>(number)), crc);
    }
    crc = Crc32(piece.text, crc);
  }
  return Crc32(model.Decode(Ids(pieces)), crc);
}

TEST_CASE("every test line gives the library's ids, pieces, ranges and decoded text") {
  const std::vector<std::string>& lines = TestLines();
  std::uint32_t of_lines = 0;
  for (const std::string& line : lines) {
    of_lines = Crc32(line, Crc32(LittleEndian(static_cast<std::uint32_t>(line.size())), of_lines));
  }
  for (const std::string_view name : kModels) {
    CAPTURE(name);
    const SentencePiece model = Load(name);
    const auto expected = ReadFixture("text/" + std::string(name) + ".crc");
    REQUIRE(expected.size() == 4 * (lines.size() + 1));
    const auto crc = [&](std::size_t i) {
      std::uint32_t value = 0;
      for (std::size_t k = 4; k > 0; --k) {
        value = value << 8 | static_cast<std::uint32_t>(expected[4 * i + k - 1]);
      }
      return value;
    };
    REQUIRE(of_lines == crc(0));  // else scripts/fixtures/text.py makes other lines than lines.cc
    std::size_t different = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (Checksum(model, lines[i]) == crc(i + 1)) continue;
      if (different++ < 5) {
        MESSAGE("line " << i << " of " << name << ": " << lines[i].substr(0, 200));
      }
    }
    CHECK(different == 0);
  }
}

TEST_CASE("examples in full") {
  const auto bytes = ReadFixture("text/examples.json");
  const auto examples =
      nlohmann::json::parse(reinterpret_cast<const char*>(bytes.data()),
                            reinterpret_cast<const char*>(bytes.data()) + bytes.size());
  REQUIRE(examples.size() >= 100);
  for (const auto& example : examples) {
    const SentencePiece model = Load(example["model"].get<std::string>());
    const std::string text = example["text"];
    CAPTURE(example["model"].get<std::string>());
    CAPTURE(text);
    const std::vector<Piece> pieces = model.Encode(text);
    REQUIRE(pieces.size() == example["pieces"].size());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const auto& expected = example["pieces"][i];
      CHECK(pieces[i].id == expected[0]);
      CHECK(pieces[i].text == expected[1].get<std::string>());
      CHECK(pieces[i].begin == expected[2]);
      CHECK(pieces[i].end == expected[3]);
    }
    CHECK(model.Decode(Ids(pieces)) == example["decoded"].get<std::string>());
  }
}

TEST_CASE("ranges run through the text without overlap, ends through the decoded text") {
  for (const std::string_view name : kModels) {
    const SentencePiece model = Load(name);
    for (std::size_t line = 0; line < TestLines().size(); line += 7) {
      const std::string& text = TestLines()[line];
      CAPTURE(name);
      CAPTURE(text);
      const std::vector<Piece> pieces = model.Encode(text);
      std::size_t position = 0;
      bool in_order = true;
      for (const Piece& piece : pieces) {
        in_order = in_order && position <= piece.begin && piece.begin <= piece.end;
        position = piece.end;
      }
      CHECK(in_order);
      CHECK(position <= text.size());

      std::vector<std::size_t> ends{99};
      const std::string decoded = model.Decode(Ids(pieces), &ends);
      CHECK(ends.size() == pieces.size());
      CHECK(std::is_sorted(ends.begin(), ends.end()));
      CHECK((ends.empty() ? 0 : ends.back()) <= decoded.size());
      if (name != "unigram-rules") CHECK((ends.empty() ? 0 : ends.back()) == decoded.size());
    }
  }
}

TEST_CASE("ranges point into the original text, not the normalised one") {
  const SentencePiece model = Load("unigram-nmt_nfkc");
  // Three leading spaces, a ligature, full-width digits, a tab between.
  const std::string text = "   The o\uFB03ce\t\uFF11\uFF12 \u72D7";
  const std::vector<Piece> pieces = model.Encode(text);
  CHECK(pieces.front().text == "▁The");
  CHECK(text.substr(pieces.front().begin, pieces.front().end - pieces.front().begin) == "The");
  CHECK(pieces.back().text == "狗");
  CHECK(text.substr(pieces.back().begin) == "\u72D7");
  CHECK(pieces.back().end == text.size());
}

TEST_CASE("byte fallback: the last byte carries the character, coming and going") {
  const SentencePiece model = Load("unigram-nfkc-bytes");
  REQUIRE(model.byte_fallback());
  const std::string text = "a\U0001F9EA\u2603b";  // neither the test tube nor the snowman is known
  const std::vector<Piece> pieces = model.Encode(text);
  REQUIRE(pieces.size() >= 9);
  const auto bytes = std::find_if(pieces.begin(), pieces.end(),
                                  [](const Piece& piece) { return piece.text == "<0xF0>"; });
  REQUIRE(pieces.end() - bytes >= 7);
  const std::size_t at = text.find("\U0001F9EA");
  for (int i = 0; i < 3; ++i) {
    CHECK(bytes[i].begin == at);
    CHECK(bytes[i].end == at);
  }
  CHECK(bytes[3].begin == at);
  CHECK(bytes[3].end == at + 4);
  CHECK(bytes[4].text == "<0xE2>");

  std::vector<std::size_t> ends;
  CHECK(model.Decode(Ids(pieces), &ends) == text);
  const std::size_t first = static_cast<std::size_t>(bytes - pieces.begin());
  CHECK(ends[first + 2] == at);
  CHECK(ends[first + 3] == at + 4);

  const auto id = [&](std::string_view piece) { return model.Find(piece); };
  CHECK(model.Decode(std::vector<int>{id("<0xE2>"), id("<0x98>")}, &ends) == "\uFFFD\uFFFD");
  CHECK(ends == std::vector<std::size_t>{3, 6});
  CHECK(model.Decode(
            std::vector<int>{id("<0x98>"), id("<0x41>"), id("</s>"), id("<0xC3>"), id("<0xA4>")},
            &ends) == "\uFFFDA\u00E4");
  CHECK(ends == std::vector<std::size_t>{3, 4, 4, 4, 6});
}

TEST_CASE("unknown characters: one piece a run, decoded to the unknown surface") {
  const SentencePiece model = Load("unigram-nmt_nfkc");
  const std::vector<Piece> pieces = model.Encode("\u2603\U0001F9EA");
  CHECK(Texts(pieces) == std::vector<std::string>{"▁", "\u2603\U0001F9EA"});
  CHECK(pieces[1].id == model.unknown_id());
  CHECK(pieces[1].begin == 0);
  CHECK(pieces[1].end == 7);
  CHECK(model.Decode(Ids(pieces)) == " \u2047 ");
}

TEST_CASE("user-defined symbols stay whole and unnormalised; control pieces never match text") {
  for (const std::string_view name : {"unigram-nmt_nfkc_cf-symbols", "bpe-nfkc-symbols"}) {
    CAPTURE(name);
    const SentencePiece model = Load(name);
    const std::vector<Piece> pieces = model.Encode("x[MASK]y<ctrl>{{name}}</s>");
    const auto texts = Texts(pieces);
    CHECK(std::count(texts.begin(), texts.end(), "[MASK]") == 1);  // not case-folded
    CHECK(std::count(texts.begin(), texts.end(), "{{name}}") == 1);
    for (const Piece& piece : pieces) {
      CHECK(piece.id != model.Find("<ctrl>"));
      CHECK(piece.id != model.Find("</s>"));
    }
    CHECK(model.Find("<ctrl>") >= 0);
    CHECK(model.Decode(std::vector<int>{model.Find("<ctrl>"), model.Find("</s>")}).empty());
  }
}

TEST_CASE("pieces by id and by text") {
  const SentencePiece model = Load("unigram-nmt_nfkc");
  CHECK(model.unknown_id() == 1);
  CHECK(model.piece(0) == "</s>");
  CHECK(model.Find("</s>") == 0);
  for (int id = 0; id < model.size(); ++id) CHECK(model.Find(model.piece(id)) == id);
  CHECK(model.Find("no such piece") == -1);
  CHECK(model.Find("") == -1);
  CHECK_THROWS_WITH_AS(model.piece(model.size()),
                       "unigram-nmt_nfkc.spm: id 1400 in a vocabulary of 1400", Error);
  CHECK_THROWS_AS(model.Decode(std::vector<int>{0, -1}), Error);
}

TEST_CASE("nothing gives nothing") {
  for (const std::string_view name : kModels) {
    const SentencePiece model = Load(name);
    CHECK(model.Encode("").empty());
    CHECK(model.Decode({}).empty());
  }
  CHECK(Load("unigram-nmt_nfkc").Encode(" \t\u3000 ").empty());
  CHECK(!Load("unigram-identity-raw").Encode("  ").empty());
}

TEST_CASE("a denormaliser runs last, and ends follow it") {
  const SentencePiece model = Load("unigram-rules");
  const std::vector<Piece> pieces = model.Encode("The cat. The dog");
  std::vector<std::size_t> ends;
  const std::string decoded = model.Decode(Ids(pieces), &ends);
  CHECK(decoded == "The cat. The dog");  // "a" was "b", "." was " . " in between
  REQUIRE(ends.size() == pieces.size());
  CHECK(ends.front() <= 4);
  CHECK(ends.back() == decoded.size());
}

}  // namespace
}  // namespace translucent::test
