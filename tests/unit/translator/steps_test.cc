// Translations in slices, continuations of prefixes, candidates and scores, on a tiny trained
// model.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "tiny.h"

namespace translucent::test {
namespace {

using std::chrono::milliseconds;

constexpr float kTolerance = 5e-5f;

/// What transformers finds; see scripts/fixtures/steps.py.
const nlohmann::json& Expected() {
  static const nlohmann::json expected = ReadJson("steps/tiny.json");
  return expected;
}

std::vector<std::string> Texts() {
  std::vector<std::string> texts = {"", "猫追狗。", "\n",
                                    "  狗追猫。\n\n猫追狗。我喜欢吃苹果。 \n"};
  for (const auto& json : ReadJson("format/tiny/expected.json")) texts.push_back(json.at("source"));
  std::string longer;
  for (int i = 0; i < 60; ++i) {  // more than a batch holds
    longer += i % 2 == 0 ? "他每天早上喝咖啡。" : "狗狗狗追猫。";
    longer += std::string(i, ' ') + "狗" + (i % 3 == 0 ? "\n" : "。");
  }
  texts.push_back(longer);
  return texts;
}

void CheckSame(const std::vector<std::vector<Candidate>>& a,
               const std::vector<std::vector<Candidate>>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    REQUIRE(a[i].size() == b[i].size());
    for (std::size_t rank = 0; rank < a[i].size(); ++rank) {
      CHECK(a[i][rank].text == b[i][rank].text);
      CHECK(a[i][rank].score == b[i][rank].score);
    }
  }
}

const TranslateOptions kOptions[] = {{.beam_size = 1},
                                     {.beam_size = 1, .scores = true},
                                     {.nbest = 3},
                                     {.beam_size = 1, .threads = 3},
                                     {.nbest = 2, .threads = 4}};

std::vector<int> Ids(const std::vector<Token>& tokens) {
  std::vector<int> ids;
  for (const Token& token : tokens) ids.push_back(token.id);
  return ids;
}

/// The message of the Error that `work` throws.
template <class Work>
std::string ErrorOf(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

bool Has(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("job: step by step it yields what Translate does, to the bit") {
  for (const TranslateOptions& options : kOptions) {
    CAPTURE(options.beam_size);
    CAPTURE(options.threads);
    const auto expected = Tiny().Translate(Texts(), options);
    TranslationJob job = Tiny().Start(Texts(), options);
    std::size_t slices = 1;
    while (!job.Run(milliseconds(0))) ++slices;  // no time: a step, or one of each thread
    CHECK(slices >= 10);
    CHECK(job.done());
    CheckSame(job.Result(), expected);
    CHECK(job.Run(milliseconds(0)));  // nothing left to do
    CheckSame(job.Result(), expected);

    TranslationJob whole = Tiny().Start(Texts(), options);
    CHECK_FALSE(whole.done());
    CHECK(whole.Run(std::chrono::hours(1)));
    CheckSame(whole.Result(), expected);
  }
}

TEST_CASE("job: nothing to translate is done at once") {
  for (const std::vector<std::string>& texts : {std::vector<std::string>{}, {""}, {"\n", "  "}}) {
    TranslationJob job = Tiny().Start(texts);
    CHECK(job.done());
    for (std::size_t i = 0; i < texts.size(); ++i) CHECK(job.Partial(i) == texts[i]);
    CheckSame(job.Result(), Tiny().Translate(texts));
    CHECK(job.Run(milliseconds(5)));
  }
}

TEST_CASE("job: partial texts grow into the translation") {
  const std::vector<std::string> texts = Texts();
  for (const TranslateOptions& options : kOptions) {
    CAPTURE(options.beam_size);
    CAPTURE(options.threads);
    TranslationJob job = Tiny().Start(texts, options);
    std::vector<std::vector<std::string>> partials(texts.size());
    do {
      for (std::size_t i = 0; i < texts.size(); ++i) partials[i].push_back(job.Partial(i));
    } while (!job.Run(milliseconds(0)));
    const auto results = job.Result();
    int words = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      CAPTURE(i);
      CHECK(job.Partial(i) == results[i][0].text);
      for (const std::string& partial : partials[i]) {
        CHECK_FALSE(Has(partial, "\uFFFD"));
      }
      if (options.beam_size != 1) continue;
      // One sentence grows at its end; all of a text's grow at once, so that not even what shows of
      // a longer text need be a beginning of what it becomes.
      if (texts[i].find("。") == texts[i].rfind("。")) {
        for (std::size_t p = 1; p < partials[i].size(); ++p) {
          CHECK(partials[i][p].starts_with(partials[i][p - 1]));
        }
        CHECK(results[i][0].text.starts_with(partials[i].back()));
        words += partials[i].back().size() > 3;
      }
    }
    if (options.beam_size == 1) CHECK(words >= 5);
  }
}

TEST_CASE("job: the finished sentences of a greedy partial text are the translation's first") {
  // Of very different lengths, so that they are finished one after the other.
  const std::string text = "狗追猫。他每天早上喝咖啡。狗。\n我喜欢吃苹果。";
  TranslationJob job = Tiny().Start({text}, {.beam_size = 1});
  std::vector<std::string> partials;
  while (!job.Run(milliseconds(0))) partials.push_back(job.Partial(0));
  const std::string whole = job.Result()[0][0].text;
  const std::string first = Tiny().Translate({"狗追猫。"}, {.beam_size = 1})[0][0].text;
  bool finished = false;
  for (const std::string& partial : partials) {
    CAPTURE(partial);
    // Once the first sentence is complete, it stays at the beginning.
    finished = finished || partial.starts_with(first);
    CHECK(partial.starts_with(first) == finished);
    CHECK(partial.size() <= whole.size());
  }
  CHECK(finished);
  CHECK(std::ranges::any_of(partials, [](const auto& p) { return !p.empty(); }));
}

TEST_CASE("job: it can be dropped at any time, moved, and outlives its translator") {
  for (int slices = 0; slices < 12; ++slices) {
    TranslationJob job = Tiny().Start(Texts(), {.threads = 1 + slices % 3});
    for (int i = 0; i < slices; ++i) job.Run(milliseconds(0));
  }
  std::optional<Translator> translator = LoadTiny();
  TranslationJob job = translator->Start({"狗追猫。"});
  job.Run(milliseconds(0));
  translator.reset();
  TranslationJob moved = std::move(job);
  CHECK(moved.Run(std::chrono::hours(1)));
  CHECK(moved.Result()[0][0].text == "The dog chases the cat.");
}

TEST_CASE("job: wrong use throws one error") {
  CHECK_THROWS_AS(Tiny().Start({"狗"}, {.nbest = 0}), Error);
  TranslationJob job = Tiny().Start({"狗"});
  CHECK(ErrorOf([&] { job.Result(); }) == "translation: is not done yet");
  CHECK(ErrorOf([&] { job.Partial(1); }) == "text: 1 is not one of the 1 texts");
  for (const double time : {-5.0, std::nan(""), -HUGE_VAL}) {
    CHECK_FALSE(job.Run(std::chrono::duration<double, std::milli>(time)));
  }
  CHECK(job.Run(std::chrono::duration<double, std::milli>(HUGE_VAL)));
}

TEST_CASE("explain: candidates and entropy of every step are transformers'") {
  for (const auto& json : Expected()) {
    const std::string source = json.at("source");
    CAPTURE(source);
    const Explanation plain = Tiny().Explain(source);
    CHECK(plain.steps.empty());
    const Explanation e = Tiny().Explain(source, {}, nullptr, {.prefix = {}, .candidates = 6});
    CHECK(Ids(e.target) == json.at("target").get<std::vector<int>>());
    CHECK(e.cross.weights == plain.cross.weights);
    CHECK(e.probabilities == plain.probabilities);
    REQUIRE(e.steps.size() == e.target.size());
    for (std::size_t t = 0; t < e.steps.size(); ++t) {
      CAPTURE(t);
      const auto& expected = json.at("steps")[t];
      CHECK(std::abs(e.steps[t].entropy - expected.at("entropy").get<float>()) <= 1e-4f);
      const std::vector<Prediction>& found = e.steps[t].candidates;
      REQUIRE(found.size() == 6);
      for (std::size_t k = 0; k < found.size(); ++k) {
        CAPTURE(k);
        const float probability = expected.at("probabilities")[k];
        CHECK(found[k].id == expected.at("ids")[k].get<int>());
        CHECK(std::abs(found[k].probability - probability) <= kTolerance);
        CHECK(found[k].id != Tiny().checkpoint().config().pad_token_id);
        if (found[k].id == e.target[t].id) CHECK(found[k].probability == e.probabilities[t]);
      }
    }
  }
}

TEST_CASE(
    "explain: all candidates are all that is allowed, and candidates out of range are refused") {
  const int vocabulary = Tiny().checkpoint().config().decoder_vocab_size;
  const Explanation e =
      Tiny().Explain("狗追猫。", {}, nullptr, {.prefix = {}, .candidates = vocabulary});
  for (const Distribution& step : e.steps) {
    CHECK(step.candidates.size() == static_cast<std::size_t>(vocabulary) - 1);  // all but <pad>
    double sum = 0, entropy = 0;
    for (const Prediction& candidate : step.candidates) {
      sum += candidate.probability;
      entropy -= candidate.probability * std::log2(std::max(candidate.probability, 1e-30f));
    }
    CHECK(std::abs(sum - 1) <= 1e-3);  // <pad> has the rest
    CHECK(std::abs(step.entropy - (entropy / sum + std::log2(sum))) <= 1e-3);
  }
  const auto ask = [](int candidates) {
    return ErrorOf(
        [&] { Tiny().Explain("狗", {}, nullptr, {.prefix = {}, .candidates = candidates}); });
  };
  CHECK(Has(ask(-1), "candidates: -1 is not between 0 and"));
  CHECK(Has(ask(vocabulary + 1), "candidates: "));
}

TEST_CASE("continuations: prefixes are kept and completed as transformers does") {
  for (const auto& json : Expected()) {
    const std::string source = json.at("source");
    CAPTURE(source);
    for (const int beams : {1, 4}) {
      CAPTURE(beams);
      std::vector<std::vector<int>> prefixes;
      std::vector<nlohmann::json> expected;
      for (const auto& each : json.at("prefixes")) {
        if (each.at("beams") != beams) continue;
        prefixes.push_back(each.at("prefix"));
        expected.push_back(each);
      }
      REQUIRE(expected.size() >= 3);
      for (const int threads : {1, 3}) {
        const std::vector<Continuation> found =
            Tiny().Continuations(source, prefixes, {.beam_size = beams, .threads = threads});
        REQUIRE(found.size() == expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          CAPTURE(i);
          const Continuation& c = found[i];
          CHECK(Ids(c.tokens) == expected[i].at("ids").get<std::vector<int>>());
          CHECK(std::abs(c.score - expected[i].at("score").get<float>()) <= kTolerance);
          const std::vector<float> probabilities = expected[i].at("probabilities");
          REQUIRE(c.probabilities.size() == probabilities.size());
          for (std::size_t t = 0; t < probabilities.size(); ++t) {
            CHECK(std::abs(c.probabilities[t] - probabilities[t]) <= kTolerance);
          }
          REQUIRE(c.tokens.size() == c.probabilities.size());
          CHECK(c.tokens.back().end == c.text.size());
          // Explaining with the prefix finds the same.
          const Explanation e =
              Tiny().Explain(source, {.beam_size = beams}, nullptr, {.prefix = prefixes[i]});
          CHECK(e.target_text == c.text);
          CHECK(Ids(e.target) == Ids(c.tokens));
          CHECK(e.probabilities == c.probabilities);
        }
      }
    }
  }
}

TEST_CASE("continuations: a whole translation is found again behind any beginning of it") {
  for (const auto& json : ReadJson("format/tiny/expected.json")) {
    const std::string source = json.at("source");
    CAPTURE(source);
    for (const int beams : {1, 4}) {
      const Explanation e = Tiny().Explain(source, {.beam_size = beams});
      const Candidate whole =
          Tiny().Translate({source}, {.beam_size = beams, .scores = true})[0][0];
      std::vector<std::vector<int>> prefixes;
      const std::vector<int> ids = Ids(e.target);
      for (std::size_t n = 0; n < ids.size(); ++n)
        prefixes.push_back({ids.begin(), ids.begin() + n});
      for (const Continuation& c : Tiny().Continuations(source, prefixes, {.beam_size = beams})) {
        CHECK(c.text == whole.text);
        CHECK(c.score == whole.score);
        CHECK(c.probabilities == e.probabilities);
      }
    }
  }
  CHECK(Tiny().Continuations("狗", {}).empty());
  // More than are decoded at once.
  const auto many = Tiny().Continuations("狗追猫。", std::vector<std::vector<int>>(70));
  REQUIRE(many.size() == 70);
  for (const Continuation& c : many) CHECK(c.text == "The dog chases the cat.");
}

TEST_CASE("continuations: wrong prefixes are refused, and say which and where") {
  const int eos = Tiny().checkpoint().config().eos_token_id;
  const int vocabulary = Tiny().checkpoint().config().decoder_vocab_size;
  const auto refused = [](std::vector<int> prefix, TranslateOptions options = {}) {
    const std::string as_explained =
        ErrorOf([&] { Tiny().Explain("狗追猫。", options, nullptr, {.prefix = prefix}); });
    const std::string message =
        ErrorOf([&] { Tiny().Continuations("狗追猫。", {{}, prefix}, options); });
    CHECK("prefix 1" + as_explained.substr(6) == message);
    return message;
  };
  CHECK(Has(refused({5, vocabulary}), "prefix 1: id 124 at position 1"));
  CHECK(Has(refused({-1}), "prefix 1: id -1 at position 0"));
  CHECK(Has(refused({5, 6, eos}), "prefix 1: holds the end symbol at position 2"));
  CHECK(Has(refused(std::vector<int>(64, 5)), "prefix 1: 64 ids leave no room"));
  CHECK(Has(refused(std::vector<int>(39, 5)), "prefix 1: 39 ids leave no room"));  // of max_length
  CHECK(Has(refused({5, 6, 7}, {.max_length = 3}), "prefix 1: 3 ids leave no room"));
  CHECK(Tiny().Continuations("狗", {{5, 6, 7}}, {.max_length = 4})[0].tokens.size() == 4);
  CHECK(Tiny().Continuations("狗", {std::vector<int>(38, 5)})[0].tokens.size() == 39);

  std::string longer;
  for (int i = 0; i < 200; ++i) longer += "狗";
  CHECK(Has(ErrorOf([&] { Tiny().Continuations(longer, {{}}); }), "text: "));
  const std::string target = "The dog";
  CHECK(Has(ErrorOf([&] { Tiny().Explain("狗", {}, &target, {.prefix = {5}}); }), "prefix: "));
}

TEST_CASE("score: a target's probabilities for other sources are transformers'") {
  for (const auto& json : Expected()) {
    CAPTURE(json.at("source").get<std::string>());
    const std::vector<int> target = json.at("target");
    std::vector<std::string> texts;
    for (const auto& scored : json.at("scored")) texts.push_back(scored.at("source"));
    for (const int threads : {1, 2}) {
      const auto found = Tiny().Score(texts, target, threads);
      REQUIRE(found.size() == texts.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        CAPTURE(texts[i]);
        const std::vector<float> expected = json.at("scored")[i].at("probabilities");
        REQUIRE(found[i].size() == expected.size());
        for (std::size_t t = 0; t < expected.size(); ++t) {
          CHECK(std::abs(found[i][t] - expected[t]) <= kTolerance);
        }
      }
      CHECK(found[0] == Tiny().Explain(texts[0]).probabilities);
    }
  }
}

TEST_CASE("score: batches change nothing, and what does not fit is refused") {
  const std::vector<int> target = Ids(Tiny().Explain("狗追猫。").target);
  std::vector<std::string> texts(3, "狗追猫。");
  for (int i = 0; i < 80; ++i)
    texts.push_back(std::string(i % 5, ' ') + (i % 2 ? "狗" : "猫追狗。"));
  texts.push_back("");
  const auto together = Tiny().Score(texts, target, 3);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(together[i] == Tiny().Score({texts[i]}, target)[0]);
  }
  CHECK(Tiny().Score({}, target).empty());
  CHECK(Tiny().Score({"狗"}, {})[0].empty());
  const std::vector<int> wrong = {5, 4000}, longer(65, 5);
  CHECK(Has(ErrorOf([&] { Tiny().Score({"狗"}, wrong); }), "target: id 4000 at position 1"));
  CHECK(Has(ErrorOf([&] { Tiny().Score({"狗"}, longer); }), "target: 65 tokens are more"));
  std::string text;
  for (int i = 0; i < 200; ++i) text += "狗";
  CHECK(Has(ErrorOf([&] { Tiny().Score({"狗", text}, target); }), "text 1: "));
}

}  // namespace translucent::test
