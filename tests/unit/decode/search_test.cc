// Greedy and beam search against transformers' generate().
#include "decode/search.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "../allocations.h"
#include "../nn/marian_case.h"
#include "hypotheses.h"

namespace translucent::test {
namespace {

using Results = std::vector<std::vector<Hypothesis>>;

Results Find(const MarianCase& c, const ExpectedSearch& search,
             std::span<const std::vector<int>> sentences) {
  return Search(c.model, c.checkpoint.config(), search.settings, search.nbest, true, sentences);
}

/// Calls f(case, search) for every search of every model.
template <class F>
void ForEachSearch(F f) {
  for (const std::string name : MarianCaseNames()) {
    CAPTURE(name);
    const MarianCase c(name);
    REQUIRE(c.sources.size() == 20);
    for (const ExpectedSearch& search : c.searches) {
      CAPTURE(search.name);
      f(c, search);
    }
  }
}

const ExpectedSearch& SearchNamed(const MarianCase& c, std::string_view name) {
  const auto search = std::find_if(c.searches.begin(), c.searches.end(),
                                   [&](const ExpectedSearch& s) { return s.name == name; });
  REQUIRE(search != c.searches.end());
  return *search;
}

bool Contains(const std::vector<int>& ids, const std::vector<int>& word) {
  return std::search(ids.begin(), ids.end(), word.begin(), word.end()) != ids.end();
}

}  // namespace

TEST_CASE("decode: all sentences in one batch are translated as transformers does") {
  ForEachSearch([](const MarianCase& c, const ExpectedSearch& search) {
    const Results found = Find(c, search, c.sources);
    REQUIRE(found.size() == search.results.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CAPTURE(i);
      CheckSame(found[i], search.results[i], c.score_tolerance);
    }
  });
}

TEST_CASE("decode: a sentence's result does not depend on the batch, to the bit") {
  ForEachSearch([](const MarianCase& c, const ExpectedSearch& search) {
    const Results together = Find(c, search, c.sources);
    std::vector<std::vector<int>> some(c.sources.rbegin(), c.sources.rbegin() + 7);
    some.push_back(some[2]);
    const Results reversed = Find(c, search, some);
    for (std::size_t i = 0; i < c.sources.size(); ++i) {
      CAPTURE(i);
      const Results alone = Find(c, search, {&c.sources[i], 1});
      REQUIRE(alone.size() == 1);
      CheckSame(alone[0], together[i], 0);
      const std::size_t from_end = c.sources.size() - 1 - i;
      if (from_end < 7) CheckSame(alone[0], reversed[from_end], 0);
      if (from_end == 2) CheckSame(alone[0], reversed[7], 0);
    }
  });
}

TEST_CASE("decode: n-best lists are sorted, distinct and begin with the best") {
  ForEachSearch([](const MarianCase& c, const ExpectedSearch& search) {
    if (search.settings.num_beams == 1) return;
    ExpectedSearch only = search;
    only.nbest = 1;
    const Results best = Find(c, only, c.sources);
    const Results list = Find(c, search, c.sources);
    for (std::size_t i = 0; i < list.size(); ++i) {
      REQUIRE(best[i].size() == 1);
      CheckSame(best[i], {list[i].data(), 1}, 0);
      for (std::size_t rank = 1; rank < list[i].size(); ++rank) {
        CHECK(list[i][rank - 1].score >= list[i][rank].score);
        for (std::size_t other = 0; other < rank; ++other) {
          CHECK(list[i][other].ids != list[i][rank].ids);
        }
      }
    }
  });
}

TEST_CASE("decode: forbidden tokens and sequences never appear, though the model prefers them") {
  for (const std::string name : MarianCaseNames()) {
    CAPTURE(name);
    const MarianCase c(name);
    for (const std::string search_name : {"greedy-bans", "beam4-bans", "beam4-bans-renormalized"}) {
      CAPTURE(search_name);
      const ExpectedSearch& search = SearchNamed(c, search_name);
      ExpectedSearch free = search;
      free.settings.bad_words_ids.clear();
      const Results banned = Find(c, search, c.sources);
      const Results unbanned = Find(c, free, c.sources);
      for (const std::vector<int>& word : search.settings.bad_words_ids) {
        if (word == std::vector<int>{0}) continue;  // a ban of the end symbol is ignored
        for (const auto& nbest : banned) {
          for (const Hypothesis& hypothesis : nbest) CHECK_FALSE(Contains(hypothesis.ids, word));
        }
      }
      if (search.name != "beam4-bans") continue;
      const std::vector<int>& preferred = search.settings.bad_words_ids[1];
      CHECK(std::ranges::any_of(
          unbanned, [&](const auto& nbest) { return Contains(nbest[0].ids, preferred); }));
    }
  }
}

TEST_CASE("decode: targets end at the end symbol or at max_length, where it may be forced") {
  int cut = 0, forced = 0;
  ForEachSearch([&](const MarianCase& c, const ExpectedSearch& search) {
    const std::size_t longest = search.settings.max_length - 1;  // the start symbol counts
    for (const auto& nbest : Find(c, search, c.sources)) {
      REQUIRE_FALSE(nbest.empty());
      for (const Hypothesis& hypothesis : nbest) {
        REQUIRE_FALSE(hypothesis.ids.empty());
        CHECK(hypothesis.ids.size() <= longest);
        const auto end = std::find(hypothesis.ids.begin(), hypothesis.ids.end(), 0);
        if (search.settings.forced_eos_token_id == 0 || hypothesis.ids.size() < longest) {
          CHECK(end == hypothesis.ids.end() - 1);
        } else {
          CHECK(end >= hypothesis.ids.end() - 1);
        }
        cut += end == hypothesis.ids.end();
        forced += search.settings.forced_eos_token_id == 0 && hypothesis.ids.size() == longest;
      }
    }
  });
  CHECK(cut > 0);
  CHECK(forced > 0);
}

TEST_CASE("decode: greedy search finds the same targets without scores") {
  ForEachSearch([](const MarianCase& c, const ExpectedSearch& search) {
    if (search.settings.num_beams > 1) return;
    const Results scored = Find(c, search, c.sources);
    const Results found =
        Search(c.model, c.checkpoint.config(), search.settings, 1, false, c.sources);
    REQUIRE(found.size() == scored.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(Text(found[i][0].ids) == Text(scored[i][0].ids));
      CHECK(found[i][0].score == 0.f);
    }
  });
}

TEST_CASE("decode: a step of greedy search allocates nothing") {
  if (!CountsAllocations()) return;
  int longer = 0;
  for (const std::string name : {"shared-relu-h1", "int8-swish", "int8-pre-norm-d21"}) {
    for (const bool scores : {false, true}) {
      CAPTURE(name);
      CAPTURE(scores);
      const MarianCase c(name, {}, {.only_if_faster = false});
      REQUIRE((c.model.decoder.coarse_output().Outputs() != nullptr) == name.starts_with("int8"));
      GenerationConfig settings = SearchNamed(c, "greedy").settings;
      // A batch, and a sentence alone, whose ids are guessed.
      for (const auto& sources : {c.sources, {c.sources[0]}}) {
        CAPTURE(sources.size());
        // More steps, as many allocations: those of the beginning.
        std::vector<std::size_t> allocations, steps;
        for (const int max_length : {6, 18}) {
          settings.max_length = max_length;
          const std::size_t before = Allocations();
          const Results found =
              Search(c.model, c.checkpoint.config(), settings, 1, scores, sources);
          allocations.push_back(Allocations() - before);
          std::size_t most = 0;
          for (const auto& nbest : found) most = std::max(most, nbest[0].ids.size());
          steps.push_back(most);
        }
        CHECK(allocations[0] == allocations[1]);
        CHECK(steps[1] >= steps[0]);
        longer += steps[1] > steps[0];
      }
    }
  }
  CHECK(longer >= 4);
}

TEST_CASE("decode: ids that are guessed first change no target, however good the guesses are") {
  int guessed = 0, wrong = 0, ended = 0;
  for (const std::string name : {"int8-swish", "int8-separate-untied", "int8-pre-norm-d21"}) {
    CAPTURE(name);
    for (const int computed : {0, 1, 2, 32}) {
      CAPTURE(computed);
      const MarianCase c(name, {}, {.only_if_faster = false, .computed = computed});
      REQUIRE(c.model.decoder.coarse_output().Outputs() != nullptr);
      for (const ExpectedSearch& search : c.searches) {
        if (search.settings.num_beams > 1) continue;
        CAPTURE(search.name);
        for (const int n : {0, 2}) {
          GenerationConfig settings = search.settings;
          settings.no_repeat_ngram_size = n;
          for (std::size_t i = 0; i < c.sources.size(); ++i) {
            CAPTURE(i);
            const auto expected =
                Search(c.model, c.checkpoint.config(), settings, 1, true, {{c.sources[i]}});
            BatchSearch drafted(c.model, c.checkpoint.config(), settings, false, {c.sources[i]},
                                OnePerSentence(1));
            std::size_t steps = 0;
            while (!drafted.Step()) ++steps;
            const auto found = drafted.Take(1);
            CHECK(Text(found[0][0].ids) == Text(expected[0][0].ids));
            // Each id takes a step of its own or a guess, which is verified in a later step; one
            // behind a wrong guess takes more than one guess.
            const std::size_t ids = found[0][0].ids.size();
            guessed += steps > ids;
            wrong += steps > ids + (ids + 3) / 4;
            ended += found[0][0].ids.back() == c.checkpoint.config().eos_token_id;
          }
        }
      }
    }
  }
  CHECK(guessed > 100);
  CHECK(wrong > 100);
  CHECK(ended > 100);
}

TEST_CASE("decode: while searches learn whether guesses are faster, targets are the same") {
  for (const std::string name : {"int8-swish", "int8-pre-norm-d21"}) {
    CAPTURE(name);
    const MarianCase c(name, {}, {.least_bytes = 0});
    CoarseTrial& trial = c.model.decoder.coarse_output();
    GenerationConfig settings = SearchNamed(c, "greedy").settings;
    settings.max_length = c.checkpoint.config().max_position_embeddings;
    std::vector<Results> expected;
    for (const auto& source : c.sources) {
      expected.push_back(Search(c.model, c.checkpoint.config(), settings, 1, true, {{source}}));
    }
    REQUIRE(trial.Outputs() != nullptr);
    int rounds = 0, known = 0;
    for (; known < 2; ++rounds, known += !trial.NextTurn()) {
      REQUIRE(rounds < 200);
      for (std::size_t i = 0; i < c.sources.size(); ++i) {
        CAPTURE(i);
        const auto found =
            Search(c.model, c.checkpoint.config(), settings, 1, false, {{c.sources[i]}});
        CHECK(Text(found[0][0].ids) == Text(expected[i][0][0].ids));
      }
    }
    CHECK(rounds > 2);
  }
}

TEST_CASE("decode: no sentences, no results") {
  const MarianCase c(MarianCaseNames()[0]);
  CHECK(Find(c, SearchNamed(c, "greedy"), {}).empty());
  CHECK(Find(c, SearchNamed(c, "beam4"), {}).empty());
}

TEST_CASE("decode: no n-gram twice, as transformers does") {
  const nlohmann::json cases = ReadJson("ngrams.json");
  REQUIRE(cases.size() == 3);
  for (const auto& [name, json] : cases.items()) {
    CAPTURE(name);
    const MarianCase c(name);
    const auto sources = json.at("sources").get<std::vector<std::vector<int>>>();
    REQUIRE(sources.size() >= 10);
    for (const nlohmann::json& expected : json.at("searches")) {
      const ExpectedSearch search = ReadSearch(expected);
      CAPTURE(search.name);
      const Results found = Find(c, search, sources);
      REQUIRE(found.size() == search.results.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        CAPTURE(i);
        CheckSame(found[i], search.results[i], c.score_tolerance);
      }
    }
  }
}

TEST_CASE("decode: greedy search that looks for the best id alone repeats no n-gram either") {
  int changed = 0;
  for (const std::string name : {"int8-swish", "int8-separate-untied", "int8-pre-norm-d21"}) {
    CAPTURE(name);
    const MarianCase c(name);
    for (int n : {1, 2, 3}) {
      CAPTURE(n);
      ExpectedSearch search = SearchNamed(c, "greedy");
      search.settings.no_repeat_ngram_size = n;
      for (const std::vector<int>& source : c.sources) {
        const auto find = [&](bool scores) {
          return Search(c.model, c.checkpoint.config(), search.settings, 1, scores,
                        {{source}})[0][0]
              .ids;
        };
        const std::vector<int> ids = find(false);
        CHECK(ids == find(true));
        search.settings.no_repeat_ngram_size = 0;
        changed += ids != find(false);
        search.settings.no_repeat_ngram_size = n;
      }
    }
  }
  CHECK(changed > 20);
}

}  // namespace translucent::test
