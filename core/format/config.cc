#include "format/config.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "format/json.h"

namespace translucent {
namespace {

constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr int kMaxPositions = 1 << 16;  // bounds the table of sinusoids
constexpr int kMaxBeams = 1000;
constexpr int kDefaultMaxLength = 512;

// The fields of one JSON object, with type and range checks. A missing field and a null one mean
// the default, as in transformers.
class Fields {
 public:
  Fields(std::string_view json, std::string_view file)
      : file_(file), object_(ParseJsonObject(json, file)) {}

  const Json* Get(std::string_view name) const {
    const Json* value = Find(object_, name);
    return value != nullptr && value->IsNull() ? nullptr : value;
  }

  int Int(std::string_view name, int missing, int least, int most) const {
    const Json* value = Get(name);
    const std::int64_t result = value ? WholeNumber(*value, name) : missing;
    if (result < least || result > most) {
      Fail(name, std::to_string(result) + (value ? "" : " (the default)") + " is not between " +
                     std::to_string(least) + " and " + std::to_string(most));
    }
    return static_cast<int>(result);
  }

  // An id below `end`; a list of one id is the same as the id.
  int TokenId(std::string_view name, int missing, int end) const {
    const Json* value = Get(name);
    if (value != nullptr && value->As<Json::Array>()) {
      const auto& list = *value->As<Json::Array>();
      if (list.size() != 1) Fail(name, "a list of several ids is not supported");
      return Id(list.front(), name, end);
    }
    if (value == nullptr && missing < 0) return missing;
    return value ? Id(*value, name, end) : Int(name, missing, 0, end - 1);
  }

  int Id(const Json& value, std::string_view name, int end) const {
    const std::int64_t id = WholeNumber(value, name);
    if (id < 0 || id >= end) {
      Fail(name,
           "id " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(end));
    }
    return static_cast<int>(id);
  }

  bool Bool(std::string_view name, bool missing) const {
    const Json* value = Get(name);
    if (value == nullptr) return missing;
    if (!value->As<bool>()) Fail(name, "must be true or false, not " + Describe(*value));
    return *value->As<bool>();
  }

  float Float(std::string_view name, float missing) const {
    const Json* value = Get(name);
    if (value == nullptr) return missing;
    double number = 0;
    if (const auto* integer = value->As<std::int64_t>()) {
      number = static_cast<double>(*integer);
    } else if (const auto* real = value->As<double>()) {
      number = *real;
    } else {
      Fail(name, "must be a number, not " + Describe(*value));
    }
    if (std::abs(number) > std::numeric_limits<float>::max()) {
      Fail(name, Describe(*value) + " is too large");
    }
    return static_cast<float>(number);
  }

  [[noreturn]] void Fail(std::string_view name, std::string_view why) const {
    throw Error(file_ + ": field '" + std::string(name) + "'", why);
  }

 private:
  std::int64_t WholeNumber(const Json& value, std::string_view name) const {
    if (!value.As<std::int64_t>()) Fail(name, "must be a whole number, not " + Describe(value));
    return *value.As<std::int64_t>();
  }

  std::string file_;
  Json::Object object_;
};

Activation ParseActivation(const Fields& fields) {
  const Json* value = fields.Get("activation_function");
  if (value == nullptr) return Activation::kGelu;
  const auto* name = value->As<std::string>();
  if (name != nullptr) {
    if (*name == "relu") return Activation::kRelu;
    if (*name == "swish" || *name == "silu") return Activation::kSwish;
    if (*name == "gelu") return Activation::kGelu;
  }
  fields.Fail("activation_function",
              Describe(*value) + " is not supported ('relu', 'swish', 'silu' and 'gelu' are)");
}

// Settings of generation_config.json that would change what is decoded; only the value that
// switches them off is accepted.
void CheckNeutral(const Fields& fields) {
  struct Setting {
    std::string_view name;
    float off;
  };
  static constexpr Setting kNumbers[] = {
      {"min_length", 0},
      {"min_new_tokens", 0},
      {"encoder_no_repeat_ngram_size", 0},
      {"num_beam_groups", 1},
      {"diversity_penalty", 0},
      {"repetition_penalty", 1},
      {"encoder_repetition_penalty", 1},
  };
  for (const auto& [name, off] : kNumbers) {
    if (fields.Float(name, off) != off) fields.Fail(name, "is not supported");
  }
  if (fields.Bool("do_sample", false)) fields.Fail("do_sample", "sampling is not supported");
  for (std::string_view name :
       {"forced_bos_token_id", "suppress_tokens", "begin_suppress_tokens", "sequence_bias",
        "force_words_ids", "exponential_decay_length_penalty"}) {
    const Json* value = fields.Get(name);
    const bool empty = value && value->As<Json::Array>() && value->As<Json::Array>()->empty();
    if (value != nullptr && !empty) fields.Fail(name, "is not supported");
  }
}

}  // namespace

std::string_view ActivationName(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return "relu";
    case Activation::kSwish:
      return "swish";
    case Activation::kGelu:
      return "gelu";
  }
  return "?";
}

ModelConfig ParseModelConfig(std::string_view json, std::string_view file) {
  const Fields fields(json, file);
  const Json* type = fields.Get("model_type");
  const auto* type_name = type ? type->As<std::string>() : nullptr;
  if (type_name == nullptr || *type_name != "marian") {
    fields.Fail("model_type",
                (type ? Describe(*type) : "missing") + ", only 'marian' is supported");
  }
  if (!fields.Bool("is_encoder_decoder", true)) {
    fields.Fail("is_encoder_decoder", "only encoder-decoder models are supported");
  }
  if (!fields.Bool("static_position_embeddings", true)) {
    fields.Fail("static_position_embeddings", "learned positions are not supported");
  }

  ModelConfig config;
  config.d_model = fields.Int("d_model", 1024, 1, kMaxInt);
  config.encoder_layers = fields.Int("encoder_layers", 12, 1, kMaxInt);
  config.decoder_layers = fields.Int("decoder_layers", 12, 1, kMaxInt);
  config.encoder_attention_heads = fields.Int("encoder_attention_heads", 16, 1, kMaxInt);
  config.decoder_attention_heads = fields.Int("decoder_attention_heads", 16, 1, kMaxInt);
  config.encoder_ffn_dim = fields.Int("encoder_ffn_dim", 4096, 1, kMaxInt);
  config.decoder_ffn_dim = fields.Int("decoder_ffn_dim", 4096, 1, kMaxInt);
  config.activation = ParseActivation(fields);
  for (const auto& [name, heads] :
       {std::pair<std::string_view, int>{"encoder_attention_heads", config.encoder_attention_heads},
        {"decoder_attention_heads", config.decoder_attention_heads}}) {
    if (config.d_model % heads != 0) {
      fields.Fail(name, std::to_string(heads) + " does not divide d_model, " +
                            std::to_string(config.d_model));
    }
  }

  config.share_encoder_decoder_embeddings = fields.Bool("share_encoder_decoder_embeddings", true);
  config.tie_word_embeddings = fields.Bool("tie_word_embeddings", true);
  config.vocab_size = fields.Int("vocab_size", 58101, 1, kMaxInt);
  config.decoder_vocab_size = fields.Int("decoder_vocab_size", config.vocab_size, 1, kMaxInt);
  if (config.share_encoder_decoder_embeddings && config.decoder_vocab_size != config.vocab_size) {
    fields.Fail("decoder_vocab_size",
                std::to_string(config.decoder_vocab_size) + " is not vocab_size, " +
                    std::to_string(config.vocab_size) + ", though embeddings are shared");
  }
  // Both sides pad and end with the same ids.
  const int common = std::min(config.vocab_size, config.decoder_vocab_size);
  config.pad_token_id = fields.TokenId("pad_token_id", 58100, common);
  config.eos_token_id = fields.TokenId("eos_token_id", 0, common);
  config.decoder_start_token_id =
      fields.TokenId("decoder_start_token_id", 58100, config.decoder_vocab_size);

  config.scale_embedding = fields.Bool("scale_embedding", false);
  config.normalize_before = fields.Bool("normalize_before", false);
  config.normalize_embedding = fields.Bool("normalize_embedding", false);
  config.add_final_layer_norm = fields.Bool("add_final_layer_norm", false);
  config.max_position_embeddings = fields.Int("max_position_embeddings", 1024, 1, kMaxPositions);
  return config;
}

GenerationConfig ParseGenerationConfig(std::string_view json, std::string_view file,
                                       const ModelConfig& model) {
  const Fields fields(json, file);
  const bool is_model_config = fields.Get("model_type") != nullptr;
  const int vocabulary = model.decoder_vocab_size;
  CheckNeutral(fields);

  GenerationConfig config;
  config.num_beams = fields.Int("num_beams", 1, 1, kMaxBeams);
  if (fields.Get("max_length") == nullptr && fields.Get("max_new_tokens") != nullptr) {
    config.max_length =
        fields.Int("max_new_tokens", 0, 1, kMaxInt - 1) + 1;  // and the start symbol
  } else {
    const int positions = std::min(kDefaultMaxLength, model.max_position_embeddings);
    config.max_length = fields.Int("max_length", std::max(positions, 2), 2, kMaxInt);
  }
  config.length_penalty = fields.Float("length_penalty", 1.0f);
  const Json* early_stopping = fields.Get("early_stopping");
  const auto* never = early_stopping ? early_stopping->As<std::string>() : nullptr;
  if (never != nullptr && *never == "never") {
    config.never_stop_early = true;
  } else if (never != nullptr) {
    fields.Fail("early_stopping", "must be true, false or 'never', not " + Quoted(*never));
  } else {
    config.early_stopping = fields.Bool("early_stopping", false);
  }
  config.renormalize_logits = fields.Bool("renormalize_logits", false);
  // MarianConfig has a default of its own, generation_config.json has none.
  config.forced_eos_token_id =
      fields.TokenId("forced_eos_token_id", is_model_config ? 0 : -1, vocabulary);

  config.no_repeat_ngram_size = fields.Int("no_repeat_ngram_size", 0, 0, kMaxInt);
  if (const Json* bad_words = fields.Get("bad_words_ids")) {
    const std::string_view name = "bad_words_ids";
    const auto* words = bad_words->As<Json::Array>();
    if (words == nullptr) fields.Fail(name, "must be a list of lists of ids");
    for (const Json& word : *words) {
      const auto* ids = word.As<Json::Array>();
      if (ids == nullptr || ids->empty()) fields.Fail(name, "must be a list of lists of ids");
      auto& bad_word = config.bad_words_ids.emplace_back();
      for (const Json& id : *ids) bad_word.push_back(fields.Id(id, name, vocabulary));
    }
  }

  const std::pair<std::string_view, int> repeated[] = {
      {"pad_token_id", model.pad_token_id},
      {"eos_token_id", model.eos_token_id},
      {"decoder_start_token_id", model.decoder_start_token_id}};
  for (const auto& [name, id] : repeated) {
    const int here = fields.TokenId(name, id, vocabulary);
    if (here != id) {
      fields.Fail(name, std::to_string(here) + ", but config.json has " + std::to_string(id));
    }
  }
  return config;
}

}  // namespace translucent
