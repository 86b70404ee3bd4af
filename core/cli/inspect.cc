// `translucent inspect`: what a model directory holds, and whether it works.

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "decode/shortlist.h"
#include "text/sentencepiece.h"

namespace translucent::cli {
namespace {

using Report = nlohmann::ordered_json;

constexpr std::string_view kTrialText = "1, 2, 3.";

// "model.layers.10" after "model.layers.9".
bool NaturalLess(std::string_view a, std::string_view b) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  const auto number = [&](std::string_view text) {
    return text.substr(0, std::find_if_not(text.begin(), text.end(), digit) - text.begin());
  };
  while (!a.empty() && !b.empty()) {
    if (digit(a.front()) && digit(b.front())) {
      const auto x = number(a), y = number(b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      a.remove_prefix(x.size());
      b.remove_prefix(y.size());
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() < b.size();
}

Report DescribeFiles(const std::vector<ModelFile>& files) {
  Report list = Report::array();
  for (const ModelFile& file : files) {
    list.push_back({{"name", file.name}, {"bytes", file.bytes.size()}});
  }
  return list;
}

Report DescribeStack(int layers, int heads, int ffn_dim) {
  return {{"layers", layers}, {"heads", heads}, {"ffn_dim", ffn_dim}};
}

Report DescribeArchitecture(const ModelConfig& config) {
  return {
      {"model_type", "marian"},
      {"d_model", config.d_model},
      {"encoder", DescribeStack(config.encoder_layers, config.encoder_attention_heads,
                                config.encoder_ffn_dim)},
      {"decoder", DescribeStack(config.decoder_layers, config.decoder_attention_heads,
                                config.decoder_ffn_dim)},
      {"activation", ActivationName(config.activation)},
      {"norm", config.normalize_before ? "before each sublayer" : "after each sublayer"},
      {"embedding_norm", config.normalize_embedding},
      {"final_norm", config.add_final_layer_norm},
      {"positions", config.max_position_embeddings},
      {"scaled_embedding", config.scale_embedding},
      {"shared_embeddings", config.share_encoder_decoder_embeddings},
      {"tied_output", config.tie_word_embeddings},
  };
}

Report DescribeGeneration(const GenerationConfig& generation) {
  Report early = generation.early_stopping;
  if (generation.never_stop_early) early = "never";
  return {
      {"num_beams", generation.num_beams},
      {"max_length", generation.max_length},
      {"length_penalty", generation.length_penalty},
      {"early_stopping", early},
      {"renormalize_logits", generation.renormalize_logits},
      {"bad_words_ids", generation.bad_words_ids},
  };
}

Report DescribeVocabulary(const Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config();
  const auto side = [&](std::string_view spm, const Vocabulary& vocabulary) -> Report {
    const SentencePiece pieces(checkpoint.File(spm), checkpoint.PathOf(spm));
    int known = 0;
    for (int id = 0; id < pieces.size(); ++id) known += vocabulary.ids.contains(pieces.piece(id));
    return {{"tokens", vocabulary.tokens.size()},
            {"pieces", pieces.size()},
            {"pieces_in_vocabulary", known}};
  };
  Report report = {
      {"source", side("source.spm", checkpoint.source_vocabulary())},
      {"target", side("target.spm", checkpoint.target_vocabulary())},
      {"eos_token_id", config.eos_token_id},
      {"pad_token_id", config.pad_token_id},
      {"decoder_start_token_id", config.decoder_start_token_id},
  };
  if (checkpoint.HasFile(kShortlistFile)) {
    const Shortlist shortlist(checkpoint);
    report["shortlist"] = {{"first", shortlist.first()}, {"best", shortlist.best()}};
  }
  return report;
}

std::int64_t CountValues(const TensorView& tensor) {
  return static_cast<std::int64_t>(tensor.bytes.size() / DTypeSize(tensor.dtype));
}

void DescribeTensors(const Checkpoint& checkpoint, Report* report) {
  const auto& tensors = checkpoint.tensors().tensors;
  const std::vector<std::string> unused = checkpoint.UnusedTensors();
  const std::set<std::string, std::less<>> is_unused(unused.begin(), unused.end());
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  std::sort(names.begin(), names.end(), NaturalLess);

  std::int64_t parameters = 0;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> dtypes;  // values, bytes
  Report list = Report::array();
  for (const std::string& name : names) {
    const TensorView& tensor = tensors.at(name);
    const std::int64_t values = CountValues(tensor);
    const std::string dtype(DTypeName(tensor.dtype));
    dtypes[dtype].first += values;
    dtypes[dtype].second += static_cast<std::int64_t>(tensor.bytes.size());
    list.push_back({{"name", name},
                    {"dtype", dtype},
                    {"shape", tensor.shape},
                    {"bytes", tensor.bytes.size()},
                    {"used", !is_unused.contains(name)}});
    // Scales belong to the numbers they scale, and the bias of the output is not trained.
    const bool scale = name.ends_with(".weight_scale");
    if (!is_unused.contains(name) && !scale && name != "final_logits_bias") parameters += values;
  }
  (*report)["parameters"] = parameters;
  for (const auto& [dtype, totals] : dtypes) {
    (*report)["dtypes"][dtype] = {{"values", totals.first}, {"bytes", totals.second}};
  }
  (*report)["tensors"] = std::move(list);
}

// Translates a little and looks at what comes out.
void Try(const Translator& translator, const std::string& directory) {
  const Explanation explanation = translator.Explain(kTrialText);
  for (const AttentionMaps* maps :
       {&explanation.encoder, &explanation.decoder, &explanation.cross}) {
    const std::span<const float> weights = maps->weights;
    for (std::size_t row = 0; row < weights.size(); row += static_cast<std::size_t>(maps->keys)) {
      float sum = 0;
      for (float weight : weights.subspan(row, static_cast<std::size_t>(maps->keys))) sum += weight;
      if (!(std::abs(sum - 1) < 1e-3f)) {
        throw Error(directory,
                    "a trial: attention weights of one row sum to " + std::to_string(sum));
      }
    }
  }
  for (float probability : explanation.probabilities) {
    if (!(probability >= 0 && probability <= 1.001f)) {
      throw Error(directory, "a trial: a probability of " + std::to_string(probability));
    }
  }
}

// 1234567 -> "1,234,567"
std::string Grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, ",");
  return text;
}

// A row of a table: name and value in columns.
std::string Row(std::string name, const std::string& value, std::size_t width = 16) {
  name.resize(std::max(width, name.size() + 2), ' ');
  return "  " + name + value + "\n";
}

std::string Plain(const Report& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_integer()) return Grouped(value.get<std::int64_t>());
  if (value.is_object()) {
    std::string text;
    for (const auto& [name, member] : value.items()) {
      text += (text.empty() ? "" : ", ") + name + " " + Plain(member);
    }
    return text;
  }
  return value.dump();
}

std::string ToText(const Report& report) {
  std::string text = "model " + report["model"].get<std::string>() + "\n";
  const std::size_t kNameWidth = 26;
  if (report.contains("languages")) {
    text += "languages\n";
    for (const auto& [name, value] : report["languages"].items()) {
      text += Row(name, Plain(value), kNameWidth);
    }
  }
  for (const char* section : {"architecture", "generation", "vocabulary"}) {
    if (!report.contains(section)) continue;
    text += std::string(section) + "\n";
    for (const auto& [name, value] : report[section].items()) {
      text += Row(name, Plain(value), kNameWidth);
    }
  }
  text += "files\n";
  for (const Report& file : report["files"]) {
    text += Row(file["name"], Plain(file["bytes"]) + " bytes", kNameWidth);
  }
  if (report.contains("tensors")) {
    std::size_t width = 0;
    for (const Report& tensor : report["tensors"]) {
      width = std::max(width, tensor["name"].get_ref<const std::string&>().size() + 2);
    }
    text += "tensors\n";
    for (const Report& tensor : report["tensors"]) {
      std::string shape = ShapeName(tensor["shape"].get<std::vector<std::int64_t>>());
      shape.resize(std::max<std::size_t>(shape.size(), 14), ' ');
      std::string dtype = tensor["dtype"];
      dtype.resize(6, ' ');
      text += Row(tensor["name"],
                  dtype + shape + Plain(tensor["bytes"]) + " bytes" +
                      (tensor["used"].get<bool>() ? "" : ", not used"),
                  width);
    }
    text += "dtypes\n";
    for (const auto& [name, totals] : report["dtypes"].items()) {
      text += Row(name, Plain(totals["values"]) + " values, " + Plain(totals["bytes"]) + " bytes",
                  kNameWidth);
    }
    text += "parameters " + Plain(report["parameters"]) + "\n";
  }
  if (report.contains("checks")) {
    text += "checks\n";
    for (const Report& check : report["checks"]) text += "  " + check.get<std::string>() + "\n";
  }
  if (report["ok"].get<bool>()) text += "ok\n";
  return text;
}

}  // namespace

void Run(const InspectCommand& command) {
  Report report;
  report["model"] = command.model;
  const auto print = [&] {
    WriteOutput(command.json ? report.dump(1, ' ', false, Report::error_handler_t::replace) + "\n"
                             : ToText(report));
  };
  try {
    std::vector<ModelFile> files = ReadModelDirectory(command.model);
    report["files"] = DescribeFiles(files);
    const Translator translator(std::move(files), command.model);
    const Checkpoint& checkpoint = translator.checkpoint();
    report["languages"] = {{"source", checkpoint.source_language()},
                           {"target", checkpoint.target_language()}};
    report["architecture"] = DescribeArchitecture(checkpoint.config());
    report["generation"] = DescribeGeneration(checkpoint.generation());
    report["vocabulary"] = DescribeVocabulary(checkpoint);
    DescribeTensors(checkpoint, &report);
    Try(translator, command.model);
    report["checks"] = {"settings: complete, and nothing in them that is not computed",
                        "weights: all there, shapes as the settings say, finite, scales valid",
                        "vocabulary: ids dense and unique, sizes as the settings say",
                        "sentencepiece: both models read",
                        "trial: attention rows sum to 1, probabilities valid"};
    report["ok"] = true;
  } catch (const Error& error) {
    report["ok"] = false;
    report["error"] = error.what();
    if (report.contains("files")) print();
    throw;
  }
  print();
}

}  // namespace translucent::cli
