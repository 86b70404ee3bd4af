#include "marian_case.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "../fixtures.h"
#include "base/error.h"

namespace translucent::test {
namespace {

constexpr const char* kCases[] = {
    "shared-relu-h1",
    "shared-swish-h4-l2-1",
    "shared-gelu-h8",
    "shared-relu-l6-6",
    "shared-untied-h4-8",
    "shared-zero-bias",
    "separate-swish-d24",
    "separate-untied-d36",
    "odd-d21-h3",
    "pre-norm",
    "pre-norm-embedding-norm",
    "embedding-norm",
    "int8-swish",
    "int8-separate-untied",
    "int8-pre-norm-d21",
    "f16",
    "bf16",
};

std::vector<ModelFile> ModelFiles(const std::string& folder, std::vector<ModelFile> files) {
  for (const char* name : {"config.json", "generation_config.json", "model.safetensors",
                           "vocab.json", "target_vocab.json"}) {
    const std::string path = folder + "/" + name;
    if (HasFixture(path)) files.push_back({name, ReadFixture(path)});
  }
  return files;
}

}  // namespace

nlohmann::json ReadJson(const std::string& name) {
  const auto bytes = ReadFixture(name);
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  return nlohmann::json::parse(begin, begin + bytes.size());
}

ExpectedSearch ReadSearch(const nlohmann::json& json) {
  ExpectedSearch search;
  search.name = json.at("name");
  search.nbest = json.at("nbest");
  GenerationConfig& settings = search.settings;
  settings.num_beams = json.at("num_beams");
  settings.max_length = json.at("max_length");
  settings.length_penalty = json.at("length_penalty");
  settings.renormalize_logits = json.at("renormalize_logits");
  settings.forced_eos_token_id = json.at("forced_eos").get<bool>() ? 0 : -1;
  settings.no_repeat_ngram_size = json.value("no_repeat_ngram_size", 0);
  settings.bad_words_ids = json.at("bad_words_ids").get<std::vector<std::vector<int>>>();
  const nlohmann::json& early_stopping = json.at("early_stopping");
  settings.never_stop_early = early_stopping == "never";
  settings.early_stopping = early_stopping == true;
  for (const nlohmann::json& sentence : json.at("results")) {
    auto& hypotheses = search.results.emplace_back();
    for (const nlohmann::json& hypothesis : sentence) {
      hypotheses.push_back({hypothesis.at("ids"), hypothesis.at("score")});
    }
  }
  return search;
}

std::span<const char* const> MarianCaseNames() { return kCases; }

ValuesFile::ValuesFile(const std::string& name)
    : bytes_(ReadFixture(name)), tensors_(ParseSafeTensors(bytes_, name)) {}

const TensorView& ValuesFile::View(const std::string& name) const {
  const auto tensor = tensors_.tensors.find(name);
  if (tensor == tensors_.tensors.end()) throw Error(name, "not among the expected values");
  return tensor->second;
}

Values ValuesFile::Get(const std::string& name) const {
  const TensorView& view = View(name);
  return {view.shape, ToFloats(view)};
}

MarianCase::MarianCase(const std::string& name, std::vector<ModelFile> more,
                       const CoarseOutputs::Settings& coarse)
    : name(name),
      checkpoint(ModelFiles("marian/" + name, std::move(more)), name),
      model(checkpoint, coarse),
      expected("marian/" + name + "/expected.safetensors") {
  const nlohmann::json json = ReadJson("marian/" + name + "/expected.json");
  json.at("sources").get_to(sources);
  json.at("targets").get_to(targets);
  score_tolerance = json.value("score_tolerance", 5e-5f);
  for (const nlohmann::json& search : json.at("searches")) searches.push_back(ReadSearch(search));
}

}  // namespace translucent::test
