// Searches restricted to prefixes against transformers' generate(), and searches in steps.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "../allocations.h"
#include "../fixtures.h"
#include "../nn/marian_case.h"
#include "decode/probability.h"
#include "decode/search.h"

namespace translucent::test {
namespace {

constexpr float kScoreTolerance = 5e-5f;

using NBest = std::vector<Hypothesis>;

std::vector<NBest> RunToEnd(BatchSearch& search, int nbest) {
  while (!search.Step()) {
  }
  return search.Take(nbest);
}

void CheckEqual(const std::vector<NBest>& a, const std::vector<NBest>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    REQUIRE(a[i].size() == b[i].size());
    for (std::size_t rank = 0; rank < a[i].size(); ++rank) {
      CHECK(a[i][rank].ids == b[i][rank].ids);
      CHECK(a[i][rank].score == b[i][rank].score);
    }
  }
}

bool StartsWith(std::span<const int> ids, std::span<const int> prefix) {
  return ids.size() >= prefix.size() && std::ranges::equal(ids.first(prefix.size()), prefix);
}

/// A search of tests/fixtures/steps/marian.json.
struct PrefixSearch {
  std::string name;
  GenerationConfig settings;
  std::vector<SentenceTarget> prefixes;
  std::vector<Hypothesis> results;  // of each prefix
};

std::vector<PrefixSearch> PrefixSearches() {
  const auto bytes = ReadFixture("steps/marian.json");
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  std::vector<PrefixSearch> searches;
  for (const auto& json : nlohmann::json::parse(begin, begin + bytes.size())) {
    PrefixSearch& search = searches.emplace_back();
    search.name = json.at("case");
    search.settings.num_beams = json.at("num_beams");
    search.settings.max_length = json.at("max_length");
    search.settings.length_penalty = json.value("length_penalty", 1.f);
    for (const auto& result : json.at("results")) {
      search.prefixes.push_back({result.at("sentence"), result.at("prefix")});
      search.results.push_back({result.at("ids"), result.at("score")});
    }
  }
  return searches;
}

/// The cases of `searches`, each loaded once.
const MarianCase& CaseNamed(const std::string& name) {
  static std::map<std::string, MarianCase> cases;
  const auto found = cases.find(name);
  return found != cases.end() ? found->second : cases.try_emplace(name, name).first->second;
}

}  // namespace

TEST_CASE("decode: targets begin with their prefixes and go on as transformers does") {
  const std::vector<PrefixSearch> searches = PrefixSearches();
  REQUIRE(searches.size() == 9);
  for (const PrefixSearch& search : searches) {
    CAPTURE(search.name);
    CAPTURE(search.settings.num_beams);
    REQUIRE(search.prefixes.size() >= 45);
    const MarianCase& c = CaseNamed(search.name);
    // All at once: prefixes of several lengths, several for one sentence.
    BatchSearch batch(c.model, c.checkpoint.config(), search.settings, true, c.sources,
                      search.prefixes);
    const std::vector<NBest> found = RunToEnd(batch, 1);
    REQUIRE(found.size() == search.results.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CAPTURE(i);
      CHECK(StartsWith(found[i][0].ids, search.prefixes[i].ids));
      CHECK(found[i][0].ids == search.results[i].ids);
      CHECK(std::abs(found[i][0].score - search.results[i].score) <= kScoreTolerance);
    }
    // Alone, to the bit the same.
    for (std::size_t i = 0; i < found.size(); i += 11) {
      BatchSearch alone(c.model, c.checkpoint.config(), search.settings, true,
                        {c.sources[search.prefixes[i].sentence]}, {{0, search.prefixes[i].ids}});
      CheckEqual({found[i]}, RunToEnd(alone, 1));
    }
  }
}

TEST_CASE("decode: what a target ended with is found again behind any beginning of it") {
  for (const std::string name : {"shared-relu-h1", "int8-swish", "int8-pre-norm-d21", "pre-norm"}) {
    CAPTURE(name);
    const MarianCase c(name);
    for (const bool scores : {false, true}) {  // false: int8 looks for nothing but the best logit
      GenerationConfig settings;
      settings.num_beams = 1;
      settings.max_length = 24;
      settings.bad_words_ids = {{2}};
      const std::vector<NBest> free =
          Search(c.model, c.checkpoint.config(), settings, 1, scores, c.sources);
      std::vector<SentenceTarget> prefixes;
      std::vector<NBest> expected;
      for (std::size_t i = 0; i < free.size(); ++i) {
        const std::vector<int>& ids = free[i][0].ids;
        for (std::size_t length = 0; length < ids.size(); ++length) {
          prefixes.push_back({static_cast<int>(i), {ids.begin(), ids.begin() + length}});
          expected.push_back(free[i]);
        }
      }
      BatchSearch search(c.model, c.checkpoint.config(), settings, scores, c.sources, prefixes);
      CheckEqual(RunToEnd(search, 1), expected);
    }
  }
}

TEST_CASE("decode: what is given may be forbidden, what follows may not") {
  const MarianCase c("shared-relu-h1");
  for (const int beams : {1, 4}) {
    GenerationConfig settings;
    settings.num_beams = beams;
    settings.max_length = 12;
    const int given = 7, id = Search(c.model, c.checkpoint.config(), settings, 1, true,
                                     std::span(c.sources).first(1))[0][0]
                                  .ids[0];
    settings.bad_words_ids = {{2}, {given}, {id}, {given, id}};
    BatchSearch search(c.model, c.checkpoint.config(), settings, true, {c.sources[0]},
                       {{0, {given, id, given}}});
    const Hypothesis found = RunToEnd(search, 1)[0][0];
    CHECK(StartsWith(found.ids, std::vector<int>{given, id, given}));
    CHECK(std::find(found.ids.begin() + 3, found.ids.end(), given) == found.ids.end());
    CHECK(std::find(found.ids.begin() + 3, found.ids.end(), id) == found.ids.end());
    CHECK(std::isfinite(found.score));
  }
}

TEST_CASE("decode: step by step, what is known grows into the result") {
  for (const std::string name : {"shared-relu-h1", "int8-swish"}) {
    const MarianCase c(name);
    for (const int beams : {1, 4}) {
      CAPTURE(name);
      CAPTURE(beams);
      GenerationConfig settings;
      settings.num_beams = beams;
      settings.max_length = 24;
      BatchSearch search(c.model, c.checkpoint.config(), settings, false, c.sources,
                         OnePerSentence(c.sources.size()));
      std::vector<std::vector<int>> before(c.sources.size());
      std::size_t steps = 0;
      CHECK_FALSE(search.done());
      for (std::size_t i = 0; i < before.size(); ++i) CHECK(search.BestSoFar(i).empty());
      while (!search.Step()) {
        for (std::size_t i = 0; i < before.size(); ++i) {
          const std::span<const int> now = search.BestSoFar(i);
          CHECK(now.size() <= steps);
          if (beams == 1) CHECK(StartsWith(now, before[i]));
          // A greedy target that has ended stays as it is.
          if (beams == 1 && now.size() < steps) CHECK(std::ranges::equal(now, before[i]));
          before[i].assign(now.begin(), now.end());
        }
        ++steps;
      }
      CHECK(search.done());
      for (std::size_t i = 0; i < before.size(); ++i) {
        const std::span<const int> now = search.BestSoFar(i);
        before[i].assign(now.begin(), now.end());
      }
      const std::vector<NBest> found = search.Take(1);
      for (std::size_t i = 0; i < before.size(); ++i) CHECK(found[i][0].ids == before[i]);
      CheckEqual(found, Search(c.model, c.checkpoint.config(), settings, 1, false, c.sources));
    }
  }
}

TEST_CASE("decode: no decoder step of greedy search allocates, whichever") {
  if (!CountsAllocations()) return;
  for (const std::string name : {"shared-relu-h1", "int8-swish"}) {
    const MarianCase c(name);
    GenerationConfig settings;
    settings.num_beams = 1;
    settings.max_length = 24;
    BatchSearch search(c.model, c.checkpoint.config(), settings, false, c.sources,
                       OnePerSentence(c.sources.size()));
    search.Step();  // the encoder
    search.Step();  // buffers grow to their sizes
    std::size_t steps = 0;
    for (bool done = false; !done; ++steps) {
      const std::size_t before = Allocations();
      done = search.Step();
      CHECK(Allocations() == before);
    }
    CHECK(steps >= 5);
  }
}

TEST_CASE("decode: a distribution is the softmax without what is forbidden") {
  GenerationConfig settings;
  settings.bad_words_ids = {{1}, {5, 2}, {0}};
  // Probabilities 1/8, 1/2, 1/8, 1/4: log2 of each plus any constant.
  const float ln2 = 0.69314718f;
  const std::vector<float> logits = {3 - 3 * ln2, 3 - ln2, 3 - 3 * ln2, 3 - 2 * ln2};
  const auto distribute = [&](std::vector<int> ids, int count) {
    std::vector<float> own = logits;
    return Distribute(settings, 0, ids, own, count);
  };
  const auto check = [](const Distribution& found, std::vector<Prediction> expected, float bits) {
    REQUIRE(found.candidates.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      CHECK(found.candidates[i].id == expected[i].id);
      CHECK(found.candidates[i].probability == doctest::Approx(expected[i].probability));
    }
    CHECK(found.entropy == doctest::Approx(bits));
  };
  // Without id 1 the rest is 1/4, 1/4, 1/2: 1.5 bits. Equal ones in order of their ids.
  check(distribute({9}, 4), {{3, 0.25f}, {0, 0.125f}, {2, 0.125f}}, 1.5f);
  check(distribute({9}, 1), {{3, 0.25f}}, 1.5f);
  check(distribute({9}, 0), {}, 1.5f);
  // Behind 5 no 2: 1/3 and 2/3.
  check(distribute({9, 5}, 9), {{3, 0.25f}, {0, 0.125f}}, 0.9182958f);
  settings.renormalize_logits = true;
  check(distribute({9}, 4), {{3, 0.5f}, {0, 0.25f}, {2, 0.25f}}, 1.5f);
  settings.bad_words_ids = {{1}, {2}, {3}};
  check(distribute({9}, 4), {{0, 1.f}}, 0.f);
}

}  // namespace translucent::test
