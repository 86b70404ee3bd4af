// The commands of `translucent`, one function each. They read and write; what they do is the
// core's.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "translator.h"

namespace translucent::cli {

/// Options that make no sense together: exit code 2, where Error is 1.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct TranslateCommand {
  std::string model;
  std::string from, to;  // language tags; empty: the model's
  std::string file;      // empty or "-": standard input
  bool jsonl = false;
  TranslateOptions options;
};
void Run(const TranslateCommand& command);

struct AttentionCommand {
  std::string model;
  std::string text;
  std::optional<std::string> target;
  bool svg = false;
  int candidates = 0;  // of every step, in JSON; 0: no steps
  std::string output;  // empty: standard output
};
void Run(const AttentionCommand& command);

struct InspectCommand {
  std::string model;
  bool json = false;
};
void Run(const InspectCommand& command);

struct BenchCommand {
  std::string model;
  std::string input;    // empty or "-": standard input
  int batch = 0;        // lines translated in one call; 0: all
  int repetitions = 5;  // measured; one more warms up
  TranslateOptions options;
};
/// Writes one JSON object. "ms" is the median time to translate the whole input, "ms_min" and
/// "ms_max" its spread; sentences and words are counted in the input.
void Run(const BenchCommand& command);

}  // namespace translucent::cli
