#include "format/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <set>
#include <utility>

#include "base/error.h"
#include "format/json.h"
#include "tensor/packing.h"

namespace translucent {
namespace {

constexpr std::string_view kWeightsFile = "model.safetensors";
constexpr std::string_view kShared = "model.shared.weight";
constexpr std::string_view kEncoderEmbedding = "model.encoder.embed_tokens.weight";
constexpr std::string_view kDecoderEmbedding = "model.decoder.embed_tokens.weight";
constexpr std::string_view kOutput = "lm_head.weight";
constexpr std::string_view kOutputBias = "final_logits_bias";
constexpr std::string_view kScaleSuffix = "_scale";

std::string ScaleName(std::string_view stored) {
  return std::string(stored) + std::string(kScaleSuffix);
}

// Every weight but embeddings and output: calls add(name, rows, cols), cols 0 for a vector.
template <typename Add>
void ForEachLayerWeight(const ModelConfig& config, Add add) {
  const int d_model = config.d_model;
  const auto linear = [&](const std::string& name, int out, int in) {
    add(name + ".weight", out, in);
    add(name + ".bias", out, 0);
  };
  const auto layer_norm = [&](const std::string& name) {
    add(name + ".weight", d_model, 0);
    add(name + ".bias", d_model, 0);
  };
  const auto attention = [&](const std::string& name) {
    for (const char* projection : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      linear(name + "." + projection, d_model, d_model);
    }
    layer_norm(name + "_layer_norm");
  };
  const auto stack = [&](const std::string& name, int layers, int ffn_dim, bool cross) {
    if (config.normalize_embedding) layer_norm(name + ".layernorm_embedding");
    for (int i = 0; i < layers; ++i) {
      const std::string layer = name + ".layers." + std::to_string(i);
      attention(layer + ".self_attn");
      if (cross) attention(layer + ".encoder_attn");
      linear(layer + ".fc1", ffn_dim, d_model);
      linear(layer + ".fc2", d_model, ffn_dim);
      layer_norm(layer + ".final_layer_norm");
    }
    if (config.add_final_layer_norm) layer_norm(name + ".layer_norm");
  };
  stack("model.encoder", config.encoder_layers, config.encoder_ffn_dim, false);
  stack("model.decoder", config.decoder_layers, config.decoder_ffn_dim, true);
}

bool AllFinite(const float* values, std::size_t size) {
  constexpr std::uint32_t kExponent = 0x7F800000;
  bool finite = true;
  for (std::size_t i = 0; i < size; ++i) {  // no early exit: this is one vector loop
    finite &= (std::bit_cast<std::uint32_t>(values[i]) & kExponent) != kExponent;
  }
  return finite;
}

Vocabulary ParseVocabulary(std::string_view json, const std::string& file) {
  const Json::Object object = ParseJsonObject(json, file);
  Vocabulary vocabulary;
  vocabulary.tokens.resize(object.size());
  std::vector<bool> taken(object.size(), false);
  for (const auto& [token, value] : object) {
    const auto* id = value.As<std::int64_t>();
    if (id == nullptr || *id < 0) {
      throw Error(file + ": token " + Quoted(token), "its id is " + Describe(value));
    }
    // As many ids as tokens, all different and in range: dense.
    if (static_cast<std::uint64_t>(*id) >= object.size()) {
      throw Error(file + ": token " + Quoted(token), "its id is " + std::to_string(*id) +
                                                         " in a vocabulary of " +
                                                         std::to_string(object.size()));
    }
    const auto index = static_cast<std::size_t>(*id);
    if (taken[index]) {
      throw Error(
          file + ": token " + Quoted(token),
          "its id " + std::to_string(*id) + " is also that of " + Quoted(vocabulary.tokens[index]));
    }
    taken[index] = true;
    vocabulary.tokens[index] = token;
    vocabulary.ids.emplace(token, static_cast<int>(*id));
  }
  const auto unknown = vocabulary.ids.find("<unk>");
  if (unknown == vocabulary.ids.end()) throw Error(file, "token '<unk>' is missing");
  vocabulary.unknown_id = unknown->second;
  return vocabulary;
}

}  // namespace

int Vocabulary::IdOf(std::string_view token) const {
  const auto found = ids.find(token);
  return found == ids.end() ? unknown_id : found->second;
}

Checkpoint::Checkpoint(std::vector<ModelFile> files, std::string_view directory)
    : directory_(directory), files_(std::move(files)) {
  for (const ModelFile& file : files_) {
    if (FindFile(file.name) != &file) throw Error(PathOf(file.name), "given twice");
  }
  config_ = ParseModelConfig(Text("config.json"), PathOf("config.json"));
  const std::string_view generation =
      HasFile("generation_config.json") ? "generation_config.json" : "config.json";
  generation_ = ParseGenerationConfig(Text(generation), PathOf(generation), config_);
  ReadVocabularies();
  ReadLanguages();
  ReadWeights();
}

std::string Checkpoint::PathOf(std::string_view name) const {
  if (directory_.empty()) return std::string(name);
  return directory_ + (directory_.back() == '/' ? "" : "/") + std::string(name);
}

const ModelFile* Checkpoint::FindFile(std::string_view name) const {
  const auto file = std::find_if(files_.begin(), files_.end(),
                                 [&](const ModelFile& file) { return file.name == name; });
  return file == files_.end() ? nullptr : &*file;
}

bool Checkpoint::HasFile(std::string_view name) const { return FindFile(name) != nullptr; }

std::span<const std::byte> Checkpoint::File(std::string_view name) const {
  const ModelFile* file = FindFile(name);
  if (file == nullptr) throw Error(PathOf(name), "not found");
  return file->bytes;
}

std::string_view Checkpoint::Text(std::string_view name) const {
  const auto bytes = File(name);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void Checkpoint::ReadVocabularies() {
  const auto read = [this](std::string_view name, int size, std::string_view field) {
    const std::string path = PathOf(name);
    Vocabulary vocabulary = ParseVocabulary(Text(name), path);
    if (vocabulary.tokens.size() != static_cast<std::size_t>(size)) {
      throw Error(path, std::to_string(vocabulary.tokens.size()) + " tokens, but config.json has " +
                            std::string(field) + " " + std::to_string(size));
    }
    return vocabulary;
  };
  source_vocabulary_ = read("vocab.json", config_.vocab_size, "vocab_size");
  if (HasFile("target_vocab.json")) {
    target_vocabulary_ =
        read("target_vocab.json", config_.decoder_vocab_size, "decoder_vocab_size");
    if (config_.share_encoder_decoder_embeddings) {
      if (target_vocabulary_->tokens != source_vocabulary_.tokens) {
        throw Error(PathOf("target_vocab.json"),
                    "differs from vocab.json, though config.json says embeddings are shared");
      }
      target_vocabulary_.reset();
    }
  } else if (config_.decoder_vocab_size != config_.vocab_size) {
    throw Error(PathOf("target_vocab.json"),
                "not found, but config.json has another decoder_vocab_size than vocab_size");
  }
}

void Checkpoint::ReadLanguages() {
  if (!HasFile("tokenizer_config.json")) return;
  const std::string path = PathOf("tokenizer_config.json");
  const Json::Object object = ParseJsonObject(Text("tokenizer_config.json"), path);
  const auto read = [&](std::string_view name) -> std::string {
    const Json* value = Find(object, name);
    if (value == nullptr || value->IsNull()) return "";
    const auto* string = value->As<std::string>();
    if (string == nullptr) {
      throw Error(path + ": field '" + std::string(name) + "'",
                  "must be a string, not " + Describe(*value));
    }
    return *string;
  };
  source_language_ = read("source_lang");
  target_language_ = read("target_lang");
}

void Checkpoint::ReadWeights() {
  if (!HasFile(kWeightsFile)) {
    std::string why = "not found";
    for (std::string_view name : kUnreadWeightNames) {
      if (!HasFile(name)) continue;
      why += "; " + std::string(name) + " is not read, convert it: load the model with " +
             "transformers and save it in one file with save_pretrained";
      break;
    }
    throw Error(PathOf(kWeightsFile), why);
  }
  tensors_ = ParseSafeTensors(File(kWeightsFile), PathOf(kWeightsFile));
  AddEmbeddings();
  ForEachLayerWeight(config_, [this](const std::string& name, int rows, int cols) {
    AddWeight(name, name, rows, cols);
  });
  if (tensors_.tensors.contains(kOutputBias)) {
    AddWeight(kOutputBias, kOutputBias, config_.decoder_vocab_size, 0);
  }
  PackMatrices();
}

void Checkpoint::FailTensor(std::string_view name, std::string_view why) const {
  throw Error(PathOf(kWeightsFile) + ": tensor " + Quoted(name), why);
}

// Where weights are tied, transformers stores them under one of their names, older versions under
// several; where they are not, each has its own, but older versions kept one embedding for both
// sides when embeddings were shared.
void Checkpoint::AddEmbeddings() {
  const bool shared = config_.share_encoder_decoder_embeddings;
  const bool tied = config_.tie_word_embeddings;
  const auto add = [this](std::string_view name, int rows, bool same,
                          std::initializer_list<std::string_view> places) {
    std::string_view found;
    for (std::string_view place : places) {
      if (!tensors_.tensors.contains(place)) continue;
      if (found.empty()) {
        found = place;
        AddWeight(name, place, rows, config_.d_model);
      } else if (same && !SameWeights(found, place)) {
        FailTensor(place, "differs from tensor " + Quoted(found) +
                              ", though config.json says they are the same");
      }
    }
    if (found.empty()) FailTensor(*places.begin(), "missing");
  };
  const int source = config_.vocab_size;
  const int target = config_.decoder_vocab_size;
  if (shared && tied) {
    for (std::string_view name : {kEncoderEmbedding, kDecoderEmbedding, kOutput}) {
      add(name, source, true, {kShared, kDecoderEmbedding, kEncoderEmbedding, kOutput});
    }
  } else if (shared) {
    add(kEncoderEmbedding, source, false, {kEncoderEmbedding, kShared});
    add(kDecoderEmbedding, target, false, {kDecoderEmbedding, kShared});
    add(kOutput, target, false, {kOutput});
  } else {
    add(kEncoderEmbedding, source, false, {kEncoderEmbedding});
    if (tied) {
      add(kDecoderEmbedding, target, true, {kDecoderEmbedding, kOutput});
      add(kOutput, target, true, {kDecoderEmbedding, kOutput});
    } else {
      add(kDecoderEmbedding, target, false, {kDecoderEmbedding});
      add(kOutput, target, false, {kOutput});
    }
  }
}

bool Checkpoint::SameWeights(std::string_view stored, std::string_view other) const {
  const auto same = [](const TensorView& a, const TensorView& b) {
    return a.dtype == b.dtype && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes);
  };
  const auto& all = tensors_.tensors;
  if (!same(all.find(stored)->second, all.find(other)->second)) return false;
  const auto scale = all.find(ScaleName(stored));
  const auto other_scale = all.find(ScaleName(other));
  if (scale == all.end() || other_scale == all.end()) return scale == other_scale;
  return same(scale->second, other_scale->second);
}

void Checkpoint::AddWeight(std::string_view name, std::string_view stored, int rows, int cols) {
  const auto entry = tensors_.tensors.find(stored);
  if (entry == tensors_.tensors.end()) FailTensor(stored, "missing");
  const TensorView& tensor = entry->second;
  std::vector<std::int64_t> shape = {rows};
  if (cols > 0) shape.push_back(cols);
  if (name == kOutputBias) shape.insert(shape.begin(), 1);
  if (tensor.shape != shape) {
    FailTensor(stored,
               "shape " + ShapeName(tensor.shape) + ", config.json asks for " + ShapeName(shape));
  }
  Weight weight{entry->first, {}};
  WeightMatrix& matrix = weight.matrix;
  matrix.rows = cols > 0 ? rows : 1;
  matrix.cols = cols > 0 ? cols : rows;
  if (tensor.dtype != DType::kI8) {
    matrix.f32 = Floats(entry->first);
  } else if (cols > kMostColumns) {
    FailTensor(stored, std::to_string(cols) + " columns, an I8 matrix has " +
                           std::to_string(kMostColumns) + " at most");
  } else if (cols > 0) {
    matrix.scales = Scales(entry->first, rows);
  } else {
    FailTensor(stored, "a vector cannot be I8");
  }
  weights_.emplace(name, weight);
}

// The values of a tensor of floats, converted where they cannot be used in place.
const float* Checkpoint::Floats(std::string_view stored) {
  const auto entry = tensors_.tensors.find(stored);
  const TensorView& tensor = entry->second;
  const auto address = reinterpret_cast<std::uintptr_t>(tensor.bytes.data());
  const float* values = nullptr;
  if (tensor.dtype == DType::kF32 && address % alignof(float) == 0) {
    values = reinterpret_cast<const float*>(tensor.bytes.data());
  } else {
    auto converted = converted_.find(stored);
    if (converted == converted_.end()) {
      converted = converted_.emplace(std::string(stored), ToFloats(tensor)).first;
    }
    values = converted->second.data();
  }
  if (!AllFinite(values, tensor.bytes.size() / DTypeSize(tensor.dtype))) {
    FailTensor(stored, "holds a value that is infinite or not a number");
  }
  return values;
}

// The scales of an I8 matrix, one per row.
const float* Checkpoint::Scales(std::string_view stored, int rows) {
  const std::string name = ScaleName(stored);
  const auto entry = tensors_.tensors.find(name);
  if (entry == tensors_.tensors.end()) {
    FailTensor(name, "missing, though tensor " + Quoted(stored) + " is I8");
  }
  const TensorView& tensor = entry->second;
  if (tensor.dtype != DType::kF32) {
    FailTensor(name, "dtype " + std::string(DTypeName(tensor.dtype)) + ", scales are F32");
  }
  const std::vector<std::int64_t> shape = {rows};
  if (tensor.shape != shape) {
    FailTensor(name, "shape " + ShapeName(tensor.shape) + ", " + ShapeName(shape) +
                         " is one scale per row");
  }
  const float* scales = Floats(name);
  if (std::any_of(scales, scales + rows, [](float scale) { return scale < 0; })) {
    FailTensor(name, "holds a negative scale");
  }
  return scales;
}

// Once all weights are found and nothing more is compared: weights may share a tensor.
void Checkpoint::PackMatrices() {
  std::map<std::string_view, WeightMatrix> done;
  for (auto& [name, weight] : weights_) {
    if (weight.matrix.scales == nullptr) continue;
    auto found = done.find(weight.stored);
    if (found == done.end()) {
      found = done.emplace(weight.stored, Pack(weight.stored, weight.matrix)).first;
    }
    weight.matrix = found->second;
  }
}

// The I8 matrix `stored`, packed where it lies as far as its shape allows.
WeightMatrix Checkpoint::Pack(std::string_view stored, WeightMatrix matrix) {
  const auto entry = tensors_.tensors.find(stored);
  // The view is of files_, which this checkpoint owns.
  auto* bytes = const_cast<std::byte*>(entry->second.bytes.data());
  auto* values = reinterpret_cast<std::int8_t*>(bytes);
  const int rows = matrix.rows, cols = matrix.cols;
  if (LargestWeight({values, entry->second.bytes.size()}) > kMaxWeight) {
    const auto own = converted_.try_emplace(ScaleName(stored), matrix.scales, matrix.scales + rows);
    LimitWeights(values, rows, cols, own.first->second.data());
    matrix.scales = own.first->second.data();
  }
  const int in_place = cols % kColumnGroup == 0 ? rows / kPanelRows * kPanelRows : 0;
  if (in_place < rows) {
    const int panels = (rows - in_place + kPanelRows - 1) / kPanelRows;
    auto& own = panels_.emplace_back(panels * PanelBytes(cols));
    PackPanels(values + static_cast<std::size_t>(in_place) * cols, rows - in_place, cols,
               own.data());
    matrix.packed = own.data();
    if (rows % kPanelRows != 0) matrix.last_panel = own.data() + (panels - 1) * PanelBytes(cols);
  }
  if (in_place > 0) {
    matrix.packed = reinterpret_cast<std::uint8_t*>(bytes);
    PackPanels(values, in_place, cols, reinterpret_cast<std::uint8_t*>(bytes));
  }
  return matrix;
}

WeightMatrix Checkpoint::Matrix(std::string_view name) const {
  const auto weight = weights_.find(name);
  if (weight == weights_.end()) FailTensor(name, "missing");
  return weight->second.matrix;
}

WeightVector Checkpoint::Vector(std::string_view name) const {
  const auto weight = weights_.find(name);
  if (weight == weights_.end()) FailTensor(name, "missing");
  const WeightMatrix& matrix = weight->second.matrix;
  return {matrix.rows * matrix.cols, matrix.f32};
}

bool Checkpoint::Has(std::string_view name) const { return weights_.contains(name); }

std::vector<std::string> Checkpoint::UnusedTensors() const {
  std::set<std::string, std::less<>> used;
  for (const auto& [name, weight] : weights_) {
    used.insert(std::string(weight.stored));
    if (weight.matrix.packed != nullptr) used.insert(ScaleName(weight.stored));
  }
  std::vector<std::string> unused;
  for (const auto& [name, tensor] : tensors_.tensors) {
    if (!used.contains(name)) unused.push_back(name);
  }
  return unused;
}

}  // namespace translucent
