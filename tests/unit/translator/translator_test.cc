// The facade on a tiny trained model: text in, translations and explanations out.
#include "translator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tiny.h"

namespace translucent::test {
namespace {

struct Example {
  std::string source, greedy, beam4;
};

/// Sentences and what transformers makes of them.
std::vector<Example> Examples() {
  std::vector<Example> examples;
  for (const auto& json : ReadJson("format/tiny/expected.json")) {
    examples.push_back({json.at("source"), json.at("beam1"), json.at("beam4")});
  }
  return examples;
}

std::string Translate(const std::string& text, const TranslateOptions& options = {}) {
  return Tiny().Translate({text}, options)[0][0].text;
}

std::string Repeat(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

const char* const kDogFirst = "狗追猫。";
const char* const kCatFirst = "猫追狗。";
const char* const kDogFirstEnglish = "The dog chases the cat.";
const char* const kCatFirstEnglish = "The cat chases the dog.";

/// Every row sums to 1; where causal, later keys weigh exactly 0.
void CheckMaps(const AttentionMaps& maps, int layers, int heads, std::size_t queries,
               std::size_t keys, bool causal) {
  CHECK(maps.layers == layers);
  CHECK(maps.heads == heads);
  CHECK(static_cast<std::size_t>(maps.queries) == queries);
  CHECK(static_cast<std::size_t>(maps.keys) == keys);
  REQUIRE(maps.weights.size() == layers * heads * queries * keys);
  for (std::size_t row = 0; row < layers * heads * queries; ++row) {
    double sum = 0;
    for (std::size_t key = 0; key < keys; ++key) {
      const float weight = maps.weights[row * keys + key];
      CHECK(weight >= 0.f);
      if (causal && key > row % queries) CHECK(weight == 0.f);
      sum += weight;
    }
    CHECK(std::abs(sum - 1) <= 1e-5);
  }
}

void CheckExplanation(const Explanation& e) {
  const ModelConfig& config = Tiny().checkpoint().config();
  const std::size_t source = e.source.size(), target = e.target.size();
  CheckMaps(e.encoder, config.encoder_layers, config.encoder_attention_heads, source, source,
            false);
  CheckMaps(e.decoder, config.decoder_layers, config.decoder_attention_heads, target, target, true);
  CheckMaps(e.cross, config.decoder_layers, config.decoder_attention_heads, target, source, false);

  for (const auto& [tokens, text] :
       {std::pair(&e.source, &e.source_text), {&e.target, &e.target_text}}) {
    REQUIRE_FALSE(tokens->empty());
    CHECK(tokens->back().piece == "</s>");
    CHECK(tokens->back().id == config.eos_token_id);
    std::size_t end = 0;
    for (const Token& token : *tokens) {
      CHECK(token.begin >= end);
      CHECK(token.end >= token.begin);
      end = token.end;
    }
    CHECK(end == text->size());
  }

  // The strongest source token of each target token, on the mean over layers and heads.
  REQUIRE(e.alignment.size() == target);
  const int maps = e.cross.layers * e.cross.heads;
  for (std::size_t t = 0; t < target; ++t) {
    const AlignmentLink& link = e.alignment[t];
    CHECK(static_cast<std::size_t>(link.target) == t);
    for (std::size_t s = 0; s < source; ++s) {
      float mean = 0;
      for (int m = 0; m < maps; ++m) {
        mean += e.cross.weights[(m * target + t) * source + s] / static_cast<float>(maps);
      }
      CHECK(mean <= link.weight + 1e-6f);
      if (static_cast<std::size_t>(link.source) == s) CHECK(std::abs(mean - link.weight) <= 1e-6f);
    }
  }

  REQUIRE(e.probabilities.size() == target);
  for (float probability : e.probabilities) {
    CHECK(probability > 0.f);
    CHECK(probability <= 1.00001f);
  }
}

}  // namespace

TEST_CASE("translator: translations are transformers', greedy and with the model's own beams") {
  const std::vector<Example> examples = Examples();
  REQUIRE(examples.size() >= 10);
  for (const Example& example : examples) {
    CAPTURE(example.source);
    CHECK(Translate(example.source, {.beam_size = 1}) == example.greedy);
    CHECK(Translate(example.source) == example.beam4);
  }
}

TEST_CASE("translator: 狗追猫 and 猫追狗 are two different sentences") {
  CHECK(Translate(kDogFirst) == kDogFirstEnglish);
  CHECK(Translate(kCatFirst) == kCatFirstEnglish);
  CHECK(Translate("狗追猫") != Translate("猫追狗"));
}

TEST_CASE("translator: what stands between sentences is kept") {
  const std::string dog = kDogFirst, cat = kCatFirst;
  const std::string dog_en = kDogFirstEnglish, cat_en = kCatFirstEnglish;
  for (const char* between : {"\n", "\n\n", "\r\n", "\n\n\n  ", "\t", "\n \n"}) {
    CAPTURE(between);
    CHECK(Translate(dog + between + cat) == dog_en + between + cat_en);
  }
  CHECK(Translate("  " + dog + "\n") == "  " + dog_en + "\n");
  CHECK(Translate("\n\n" + dog + "\n" + cat + "\n\n") == "\n\n" + dog_en + "\n" + cat_en + "\n\n");
  // Chinese puts no space after a full stop, English does.
  CHECK(Translate(dog + cat) == dog_en + " " + cat_en);
  CHECK(Translate(dog + cat + dog) == dog_en + " " + cat_en + " " + dog_en);
}

TEST_CASE("translator: texts without words come back as they are") {
  for (const char* text : {"", " ", "\n", "\r\n\r\n", " \t \n "}) {
    CAPTURE(text);
    const auto candidates = Tiny().Translate({text});
    REQUIRE(candidates.size() == 1);
    REQUIRE_FALSE(candidates[0].empty());
    CHECK(candidates[0][0].text == text);
    CHECK(candidates[0][0].score == 0.f);
  }
  CHECK(Tiny().Translate({}).empty());
}

TEST_CASE("translator: a sentence with nothing to translate is its own translation") {
  const Translator told = LoadTiny(true);  // from Chinese
  REQUIRE(told.checkpoint().source_language() == "zh");
  const std::string dog = kDogFirst, dog_en = kDogFirstEnglish;
  const std::string text = "OK!\n" + dog + "\nanna@example.com 😀\n" + dog + "\n１\n1\n１";
  const std::string expected =
      "OK!\n" + dog_en + "\nanna@example.com 😀\n" + dog_en + "\n１\n1\n１";
  for (const int beam : {1, 4}) {
    TranslationJob job = told.Start({text, "1985"}, {.beam_size = beam, .nbest = beam});
    CHECK(job.Partial(0).starts_with("OK!"));
    CHECK(job.Partial(1) == "1985");
    job.Run();
    const auto results = job.Result();
    CHECK(results[0][0].text == expected);
    CHECK(job.Partial(0) == expected);
    REQUIRE(results[1].size() == 1);
    CHECK(results[1][0].text == "1985");
    CHECK(results[1][0].score == 0.f);
  }
  // Where there is nothing else, there is nothing to do.
  CHECK(told.Start({"1985", "Hello!"}).done());
}

TEST_CASE("translator: capitals are taken back, and what stands where stays") {
  const std::string plain = "Where is the station?", capitals = "WHERE IS THE STATION?";
  REQUIRE(Translate(plain) == plain);  // it was taught to leave English as it is
  CHECK(Translate(capitals) == capitals);
  const std::string target = "Ja, Straße", target_in_capitals = "JA, STRASSE";
  const Explanation a = Tiny().Explain(plain), b = Tiny().Explain(capitals);
  CHECK(b.source_text == capitals);
  REQUIRE(b.source.size() == a.source.size());
  for (std::size_t i = 0; i < a.source.size(); ++i) {
    CHECK(b.source[i].id == a.source[i].id);
    CHECK(b.source[i].begin == a.source[i].begin);
    CHECK(b.source[i].end == a.source[i].end);
  }
  CHECK(b.target_text == capitals);
  const Explanation given = Tiny().Explain(capitals, {}, &target_in_capitals);
  CHECK(given.target_text == target_in_capitals);
  CHECK(given.target[0].piece == Tiny().Explain(plain, {}, &target).target[0].piece);
  const auto continued = Tiny().Continuations(capitals, {{}});
  CHECK(continued[0].text == capitals);
}

TEST_CASE(
    "translator: a text's candidates do not depend on other texts or on threads, to the bit") {
  std::vector<std::string> texts = {"", kCatFirst, "\n"};
  for (const Example& example : Examples()) texts.push_back(example.source);
  texts.push_back(std::string(kDogFirst) + kCatFirst + "\n" + kDogFirst);
  for (int i = 0; i < 40; ++i) texts.push_back(Repeat(kDogFirst, i % 7));  // several batches
  for (const TranslateOptions options :
       {TranslateOptions{.nbest = 4}, TranslateOptions{.nbest = 3, .threads = 3},
        TranslateOptions{.beam_size = 1}}) {
    const auto together = Tiny().Translate(texts, options);
    REQUIRE(together.size() == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      CAPTURE(i);
      TranslateOptions one_thread = options;
      one_thread.threads = 1;
      const auto alone = Tiny().Translate({texts[i]}, one_thread);
      REQUIRE(alone[0].size() == together[i].size());
      for (std::size_t rank = 0; rank < alone[0].size(); ++rank) {
        CHECK(alone[0][rank].text == together[i][rank].text);
        CHECK(alone[0][rank].score == together[i][rank].score);
      }
    }
  }
}

TEST_CASE("translator: n-best candidates are sorted and begin with the translation") {
  for (const Example& example : Examples()) {
    CAPTURE(example.source);
    const auto list = Tiny().Translate({example.source}, {.nbest = 4})[0];
    REQUIRE(list.size() == 4);
    CHECK(list[0].text == example.beam4);
    for (std::size_t rank = 1; rank < list.size(); ++rank) {
      CHECK(list[rank - 1].score >= list[rank].score);
    }
  }
  // Two sentences: combinations of theirs, best first.
  const auto both = Tiny().Translate({std::string(kDogFirst) + "\n" + kCatFirst}, {.nbest = 4})[0];
  const auto dog = Tiny().Translate({kDogFirst}, {.nbest = 4})[0];
  const auto cat = Tiny().Translate({kCatFirst}, {.nbest = 4})[0];
  REQUIRE(both.size() == 4);
  CHECK(both[0].text == dog[0].text + "\n" + cat[0].text);
  CHECK(both[0].score == dog[0].score + cat[0].score);
  CHECK(both[1].score == std::max(dog[1].score + cat[0].score, dog[0].score + cat[1].score));
}

TEST_CASE("translator: options out of range are refused, those in range obeyed") {
  CHECK_THROWS_AS(Translate("狗", {.beam_size = -1}), Error);
  CHECK_THROWS_AS(Translate("狗", {.nbest = 0}), Error);
  CHECK_THROWS_AS(Translate("狗", {.beam_size = 2, .nbest = 3}), Error);
  CHECK_THROWS_AS(Translate("狗", {.max_length = -1}), Error);
  for (int longest : {1, 2, 3, 5}) {
    CAPTURE(longest);
    const Explanation cut = Tiny().Explain(kDogFirst, {.max_length = longest});
    CHECK(cut.target.size() == static_cast<std::size_t>(longest));
  }
}

TEST_CASE("translator: an explanation has the shapes and sums it promises") {
  for (const Example& example : Examples()) {
    CAPTURE(example.source);
    const Explanation explanation = Tiny().Explain(example.source);
    CHECK(explanation.source_text == example.source);
    CHECK(explanation.target_text == example.beam4);
    CheckExplanation(explanation);
  }
  CheckExplanation(Tiny().Explain(""));
}

TEST_CASE("translator: explaining is the search's own computation") {
  for (const Example& example : Examples()) {
    CAPTURE(example.source);
    const Candidate before = Tiny().Translate({example.source})[0][0];
    const Explanation explanation = Tiny().Explain(example.source);
    const Candidate after = Tiny().Translate({example.source})[0][0];
    CHECK(before.text == after.text);
    CHECK(before.score == after.score);
    CHECK(explanation.target_text == before.text);
    // The score is the mean log-probability of the target's tokens.
    double sum = 0;
    for (float probability : explanation.probabilities) sum += std::log(probability);
    CHECK(std::abs(sum / explanation.probabilities.size() - before.score) <= 1e-5);
  }
}

TEST_CASE("translator: any target can be explained, and the wrong one is less probable") {
  const std::string right = kDogFirstEnglish, wrong = kCatFirstEnglish;
  const auto log_probability = [](const Explanation& e) {
    double sum = 0;
    for (float probability : e.probabilities) sum += std::log(probability);
    return sum;
  };
  const Explanation own = Tiny().Explain(kDogFirst);
  const Explanation given = Tiny().Explain(kDogFirst, {}, &right);
  const Explanation other = Tiny().Explain(kDogFirst, {}, &wrong);
  CheckExplanation(given);
  CheckExplanation(other);
  CHECK(other.target_text == wrong);
  REQUIRE(given.target.size() == own.target.size());
  for (std::size_t i = 0; i < own.target.size(); ++i) {
    CHECK(given.target[i].id == own.target[i].id);
    CHECK(given.target[i].piece == own.target[i].piece);
  }
  CHECK(given.cross.weights == own.cross.weights);
  CHECK(given.probabilities == own.probabilities);
  CHECK(log_probability(other) < log_probability(given) - 1);
}

TEST_CASE("translator: very long lines are translated sentence by sentence") {
  const int times = 2000;
  const std::string expected = Repeat(std::string(kDogFirstEnglish) + " ", times);
  CHECK(Translate(Repeat(kDogFirst, times), {.beam_size = 1}) ==
        expected.substr(0, expected.size() - 1));

  // No sentence ends anywhere: cut to what the model's 64 positions take.
  for (const char* unit : {"狗", "a", " a", "\xff", "\xf0\x9f\x90\x95"}) {
    CAPTURE(unit);
    CHECK_FALSE(Translate(Repeat(unit, 3000), {.beam_size = 1, .max_length = 4}).empty());
  }
  CHECK_THROWS_AS(Tiny().Explain(Repeat("狗", 200)), Error);
  const std::string target = Repeat("dog ", 200);
  CHECK_THROWS_AS(Tiny().Explain(kDogFirst, {}, &target), Error);
}

TEST_CASE("translator: broken UTF-8 is text like any other") {
  for (const char* text :
       {"\xff", "狗\xe8\xbf", "\x80狗追猫。", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    CheckExplanation(Tiny().Explain(text));
    CHECK(Tiny().Translate({text}).size() == 1);
  }
}

TEST_CASE("translator: a missing file is named") {
  try {
    const Translator translator({}, "models/none");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("models/none/config.json") != std::string::npos);
  }
}

}  // namespace translucent::test
