// The vocabulary shortlist: its file, and searches that keep to it against transformers'
// generate().
#include "decode/shortlist.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../fixtures.h"
#include "../format/model_builder.h"
#include "../nn/marian_case.h"
#include "decode/search.h"
#include "hypotheses.h"

namespace translucent::test {
namespace {

using Sentences = std::vector<std::vector<int>>;

constexpr const char* kExpected[] = {"shared-swish-h4-l2-1", "separate-untied-d36", "int8-swish",
                                     "int8-separate-untied"};  // those with a shortlist
constexpr const char* kCases[] = {
    "shared-swish-h4-l2-1", "separate-untied-d36",  "bf16",
    "int8-swish",           "int8-separate-untied", "int8-pre-norm-d21"};

/// A shortlist file whose parts can be changed one by one.
struct File {
  std::uint64_t magic = 0xF11A48D5013417F5, checksum = 0, first = 2, best = 3, offset_count = 0,
                id_count = 0;
  std::vector<std::uint64_t> offsets = {0};
  std::vector<std::uint32_t> ids;

  explicit File(const Sentences& lists) {
    for (const std::vector<int>& list : lists) {
      ids.insert(ids.end(), list.begin(), list.end());
      offsets.push_back(ids.size());
    }
    offset_count = offsets.size();
    id_count = ids.size();
  }

  FileBytes Bytes() const {
    std::vector<std::uint64_t> words = {magic, checksum, first, best, offset_count, id_count};
    words.insert(words.end(), offsets.begin(), offsets.end());
    FileBytes bytes(words.size() * 8 + ids.size() * 4);
    std::memcpy(bytes.data(), words.data(), words.size() * 8);
    if (!ids.empty()) std::memcpy(bytes.data() + words.size() * 8, ids.data(), ids.size() * 4);
    return bytes;
  }
};

/// Of 4 source and 40 target ids.
const Sentences kLists = {{}, {30, 31, 39}, {5}, {1, 31}};

std::string ErrorOfFile(const FileBytes& bytes) {
  return ErrorOf([&] { Shortlist(bytes, "m/shortlist.bin", 4, 40, false); });
}

std::vector<std::vector<Hypothesis>> Find(const MarianCase& c, const ExpectedSearch& search,
                                          const Sentences& sentences, bool scores,
                                          const Shortlist* shortlist) {
  return Search(c.model, c.checkpoint.config(), search.settings, search.nbest, scores, sentences,
                shortlist);
}

/// A shortlist of `lists` for a model; the first `first` ids besides.
MarianCase CaseWith(const std::string& name, const Sentences& lists, int first) {
  File file(lists);
  file.first = first;
  for (const auto& list : lists) file.best = std::max<std::uint64_t>(file.best, list.size());
  return MarianCase(name, {{"shortlist.bin", file.Bytes()}});
}

}  // namespace

TEST_CASE("shortlist: searches within it find what transformers finds within the same ids") {
  const nlohmann::json cases = ReadJson("shortlist/expected.json");
  REQUIRE(cases.size() == std::size(kExpected));
  for (const std::string name : kExpected) {
    CAPTURE(name);
    const MarianCase c(name, {{"shortlist.bin", ReadFixture("shortlist/" + name + ".bin")}});
    const Shortlist shortlist(c.checkpoint);
    CHECK(shortlist.first() == 5);
    CHECK(shortlist.best() == 3);
    const nlohmann::json& expected = cases.at(name);
    const float tolerance = expected.at("score_tolerance");
    REQUIRE(expected.at("batches").size() >= 3);
    for (const nlohmann::json& batch : expected.at("batches")) {
      const Sentences sentences = batch.at("sources");
      CHECK(Text(shortlist.Allowed(sentences, std::vector<int>{0})) == Text(batch.at("allowed")));
      for (const nlohmann::json& json : batch.at("searches")) {
        const ExpectedSearch search = ReadSearch(json);
        CAPTURE(search.name);
        const auto found = Find(c, search, sentences, true, &shortlist);
        REQUIRE(found.size() == search.results.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          CAPTURE(i);
          CheckSame(found[i], search.results[i], tolerance);
        }
        if (search.settings.num_beams > 1) continue;
        const auto unscored = Find(c, search, sentences, false, &shortlist);
        for (std::size_t i = 0; i < found.size(); ++i) {
          CHECK(Text(unscored[i][0].ids) == Text(found[i][0].ids));
        }
      }
    }
  }
}

TEST_CASE("shortlist: one that allows everything changes nothing, to the bit") {
  for (const std::string name : kCases) {
    CAPTURE(name);
    const MarianCase plain(name);
    const ModelConfig& config = plain.checkpoint.config();
    const MarianCase c = CaseWith(name, Sentences(config.vocab_size), config.decoder_vocab_size);
    const Shortlist shortlist(c.checkpoint);
    for (const ExpectedSearch& search : c.searches) {
      CAPTURE(search.name);
      for (const bool scores : {false, true}) {
        const auto with = Find(c, search, c.sources, scores, &shortlist);
        const auto without = Find(c, search, c.sources, scores, nullptr);
        for (std::size_t i = 0; i < with.size(); ++i) CheckSame(with[i], without[i], 0);
      }
    }
  }
}

TEST_CASE("shortlist: selected outputs are those of the whole layer, to the bit") {
  for (const std::string name : kCases) {
    CAPTURE(name);
    const MarianCase c(name);
    const Linear& all = c.model.decoder.output();
    const int d_model = c.checkpoint.config().d_model;
    const Matrix x = Matrix::Random(5, d_model);
    QuantizedBuffer buffer;
    const auto outputs = [&](const Linear& layer, Matrix& y, std::vector<ArgMax>& best) {
      LinearInput input(x.data(), 5, d_model, buffer);
      y.resize(5, layer.outputs());
      layer.Forward(input, View(y));
      best.resize(5);
      if (layer.is_int8()) layer.FindArgMax(input, layer.bias(), best.data());
    };
    Matrix y, some;
    std::vector<ArgMax> best, best_of_some;
    outputs(all, y, best);
    for (const int step : {1, 2, 3, 50}) {  // panels that are full and that are not
      CAPTURE(step);
      std::vector<int> ids;
      for (int id = step / 2; id < all.outputs(); id += step) ids.push_back(id);
      const SelectedOutputs selected(all, ids);
      outputs(selected.layer(), some, best_of_some);
      REQUIRE(some.cols() == static_cast<Eigen::Index>(ids.size()));
      for (int r = 0; r < 5; ++r) {
        int largest = 0;
        for (int i = 0; i < some.cols(); ++i) {
          CHECK(some(r, i) == y(r, ids[i]));
          if (some(r, i) > some(r, largest)) largest = i;
        }
        if (!all.is_int8()) continue;
        CHECK(best_of_some[r].index == largest);
        CHECK(best_of_some[r].value == some(r, largest));
      }
    }
  }
}

TEST_CASE("shortlist: greedy search finds the same where all it chooses is allowed") {
  for (const std::string name : kCases) {
    CAPTURE(name);
    ExpectedSearch search;
    std::vector<std::vector<int>> targets;
    {
      const MarianCase c(name);
      search = c.searches[0];
      REQUIRE(search.name == "greedy");
      for (const auto& found : Find(c, search, c.sources, true, nullptr)) {
        targets.push_back(found[0].ids);
      }
    }
    int smaller = 0;
    for (const std::size_t i : {0, 6, 9}) {
      // The whole target stands in the list of the sentence's first id.
      const MarianCase plain(name);
      Sentences lists(plain.checkpoint.config().vocab_size);
      std::vector<int>& list = lists[plain.sources[i][0]];
      list = targets[i];
      std::ranges::sort(list);
      list.erase(std::unique(list.begin(), list.end()), list.end());
      const MarianCase c = CaseWith(name, lists, 0);
      const Shortlist shortlist(c.checkpoint);
      const Sentences sentence = {c.sources[i]};
      smaller += shortlist.Allowed(sentence, {}).size() <
                 static_cast<std::size_t>(c.checkpoint.config().decoder_vocab_size);
      for (const bool scores : {false, true}) {
        CHECK(Text(Find(c, search, sentence, scores, &shortlist)[0][0].ids) == Text(targets[i]));
      }
    }
    CHECK(smaller == 3);
  }
}

TEST_CASE("shortlist: what a target begins with is allowed to the batch") {
  for (const std::string name : kExpected) {
    CAPTURE(name);
    const MarianCase c(name, {{"shortlist.bin", ReadFixture("shortlist/" + name + ".bin")}});
    const Shortlist shortlist(c.checkpoint);
    const Sentences sentence = {c.sources[1]};
    const std::vector<int> allowed = shortlist.Allowed(sentence, std::vector<int>{0});
    int other = c.checkpoint.config().decoder_vocab_size - 1;
    while (std::ranges::binary_search(allowed, other)) --other;
    REQUIRE(other > 0);
    for (const char* search_name : {"greedy", "beam4"}) {
      for (const bool scores : {false, true}) {
        const auto search = std::ranges::find(c.searches, search_name, &ExpectedSearch::name);
        REQUIRE(search != c.searches.end());
        BatchSearch batch(c.model, c.checkpoint.config(), search->settings, scores, sentence,
                          {{0, {other, 7}}, {0, {}}}, &shortlist);
        while (!batch.Step()) {
        }
        const auto found = batch.Take(1);
        REQUIRE(found.size() == 2);
        REQUIRE(found[0][0].ids.size() > 2);
        CHECK(found[0][0].ids[0] == other);
        CHECK(found[0][0].ids[1] == 7);
        CHECK(std::isfinite(found[0][0].score));
        const std::vector<int> also = {0, other, 7};
        const std::vector<int> together = shortlist.Allowed(sentence, also);
        for (const auto& nbest : found) {
          for (const int id : nbest[0].ids) CHECK(std::ranges::binary_search(together, id));
        }
      }
    }
  }
}

TEST_CASE("shortlist: the ids allowed") {
  const auto allowed = [](bool same, const Sentences& sentences, const std::vector<int>& also) {
    const FileBytes bytes = File(kLists).Bytes();
    return Text(Shortlist(bytes, "m", 4, 40, same).Allowed(sentences, also));
  };
  // 0 and 1 come first; what follows them fills up to 16.
  CHECK(allowed(false, {{1, 2, 1, 0}}, {0}) == "0 1 2 3 4 5 6 7 8 9 10 11 12 30 31 39 ");
  CHECK(allowed(false, {{3, 0}, {0}}, {20, 33}) == "0 1 2 3 4 5 6 7 8 9 10 11 12 20 31 33 ");
  CHECK(allowed(true, {{3, 0}}, {}) == "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31 ");
  std::vector<int> many;
  for (int id = 20; id < 36; ++id) many.push_back(id);
  const std::string all = allowed(false, {{1, 2}}, many);
  CHECK(std::ranges::count(all, ' ') == 32);
  for (int id = 36; id < 40; ++id) many.push_back(id);
  for (int id = 8; id < 20; ++id) many.push_back(id);
  CHECK(std::ranges::count(allowed(false, {{1, 2}}, many), ' ') == 40);  // the vocabulary ends
}

TEST_CASE("shortlist: a wrong file gives one error that names it and the field") {
  const std::pair<std::function<void(File&)>, std::string> cases[] = {
      {[](File& f) { f.magic = 0xF11A48D5013417F4; },
       ": field 'magic': 0xF11A48D5013417F4, not 0xF11A48D5013417F5"},
      {[](File& f) { f.first = 41; }, ": field 'firstNum': 41 of the target vocabulary's 40"},
      {[](File& f) { f.first = ~0ull; },
       ": field 'firstNum': 18446744073709551615 of the target vocabulary's 40"},
      {[](File& f) { f.best = 41; }, ": field 'bestNum': 41 of the target vocabulary's 40"},
      {[](File& f) { f.best = 2; }, ": field 'wordToOffset': 3 ids of source id 1, bestNum is 2"},
      {[](File& f) { f.offset_count = 6; },
       ": field 'wordToOffsetSize': 6, not the source vocabulary's 4 + 1"},
      {[](File& f) { f.offset_count = 0; },
       ": field 'wordToOffsetSize': 0, not the source vocabulary's 4 + 1"},
      {[](File& f) { f.id_count = 1ull << 62; },
       ": field 'shortListsSize': 4611686018427387904 ids in a file of 112 bytes"},
      {[](File& f) { f.id_count = 7; }, ": 112 bytes, its header asks for 116"},
      {[](File& f) { f.ids.push_back(1); }, ": 116 bytes, its header asks for 112"},
      {[](File& f) { f.offsets[0] = 1; }, ": field 'wordToOffset': begins with 1, not 0"},
      {[](File& f) { f.offsets[2] = 4, f.offsets[3] = 3; },
       ": field 'wordToOffset': 4 ids of source id 1, bestNum is 3"},
      {[](File& f) { f.offsets[1] = 2, f.offsets[2] = 1; },
       ": field 'wordToOffset': the end of source id 1, 1, lies before its begin, 2"},
      {[](File& f) { f.offsets[3] = 1ull << 40; },
       ": field 'wordToOffset': the end of source id 2, 1099511627776, lies behind the 6 ids"},
      {[](File& f) { f.offsets[4] = 5; },
       ": field 'wordToOffset': ends with 5, shortListsSize is 6"},
      {[](File& f) { f.ids[2] = 40; },
       ": field 'shortLists': id 40 of source id 1 is not among the 40 of the target vocabulary"},
      {[](File& f) { f.ids[0] = ~0u; },
       ": field 'shortLists': id 4294967295 of source id 1 is not among the 40 of the target "
       "vocabulary"},
      {[](File& f) { f.ids[5] = 1; }, ": field 'shortLists': id 1 of source id 3 stands behind 1"},
  };
  CHECK(ErrorOfFile(File(kLists).Bytes()) == "no error");
  for (const auto& [edit, error] : cases) {
    File file(kLists);
    edit(file);
    CHECK(ErrorOfFile(file.Bytes()) == "m/shortlist.bin" + error);
  }
  CHECK(ErrorOfFile({}) == "m/shortlist.bin: 0 bytes, its header alone has 48");
  const FileBytes whole = File(kLists).Bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const std::string why = size < 48 ? "its header alone has 48" : "its header asks for 112";
    CHECK(ErrorOfFile({whole.begin(), whole.begin() + size}) ==
          "m/shortlist.bin: " + std::to_string(size) + " bytes, " + why);
  }
}

TEST_CASE("shortlist: whatever the bytes, an error or ids of the vocabulary") {
  const FileBytes whole = File(kLists).Bytes();
  const Sentences all = {{0, 1, 2, 3}};
  int refused = 0, read = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int bits : {0x01, 0x80, 0xFF}) {
      FileBytes bytes = whole;
      bytes[at] ^= static_cast<std::byte>(bits);
      try {
        const std::vector<int> ids = Shortlist(bytes, "m", 4, 40, false).Allowed(all, {});
        ++read;
        CHECK(std::ranges::is_sorted(ids));
        REQUIRE_FALSE(ids.empty());
        CHECK(ids.front() >= 0);
        CHECK(ids.back() < 40);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  CHECK(refused > 100);
  CHECK(read > 24);  // the checksum is not looked at
}

}  // namespace translucent::test
