// `translucent bench`: how fast a model translates a text on this machine.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/json_text.h"
#include "kernels/kernels.h"
#include "text/letters.h"
#include "text/sentence_splitter.h"
#include "text/utf8.h"

namespace translucent::cli {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Spaces, and the punctuation of text without spaces.
bool SeparatesWords(char32_t c) {
  return c <= U' ' || c == 0xA0 || (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF01 && c <= 0xFF0F) ||
         (c >= 0xFF1A && c <= 0xFF20);
}

// Runs of characters between spaces; an ideograph or kana counts as a word of its own.
std::size_t CountWords(std::string_view text) {
  std::size_t words = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Character character = DecodeUtf8(text.substr(i));
    const char32_t c = character.code_point;
    if (IsCjk(c)) {
      ++words;
      inside = false;
    } else if (SeparatesWords(c)) {
      inside = false;
    } else if (!inside) {
      ++words;
      inside = true;
    }
    i += character.length;
  }
  return words;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Bytes of memory the process has held at most.
double PeakMemory() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
#if defined(__APPLE__)
  return static_cast<double>(usage.ru_maxrss);
#else
  return static_cast<double>(usage.ru_maxrss) * 1024;
#endif
}

std::vector<std::string> ReadLines(const std::string& file) {
  LineReader reader(file);
  std::vector<std::string> lines;
  for (;;) {
    std::vector<std::string> more = reader.Read(4096);
    if (more.empty()) break;
    for (std::string& line : more) {
      const std::size_t broken = FindInvalidUtf8(line);
      if (broken != std::string::npos) {
        throw Error(reader.name() + " line " + std::to_string(lines.size() + 1),
                    "invalid UTF-8 at byte " + std::to_string(broken + 1));
      }
      lines.push_back(std::move(line));
    }
  }
  if (std::ranges::all_of(lines, [](const auto& line) { return SplitSentences(line).empty(); })) {
    throw Error(reader.name(), "no sentence to translate");
  }
  return lines;
}

// Appends "NAME":VALUE members of one object.
class ObjectWriter {
 public:
  void Text(std::string_view name, std::string_view value) {
    Name(name);
    AppendString(value, &json_);
  }
  void Number(std::string_view name, double value) {
    Name(name);
    AppendNumber(static_cast<float>(value), &json_);
  }
  void Count(std::string_view name, std::size_t value) {
    Name(name);
    json_ += std::to_string(value);
  }
  std::string Finish() { return json_ + "}\n"; }

 private:
  void Name(std::string_view name) {
    json_ += json_.empty() ? '{' : ',';
    AppendString(name, &json_);
    json_ += ':';
  }
  std::string json_;
};

}  // namespace

void Run(const BenchCommand& command) {
  const std::vector<std::string> lines = ReadLines(command.input);
  const std::size_t batch =
      command.batch > 0 ? static_cast<std::size_t>(command.batch) : lines.size();
  std::size_t sentences = 0, words = 0;
  for (const std::string& line : lines) {
    sentences += SplitSentences(line).size();
    words += CountWords(line);
  }

  const Clock::time_point load_start = Clock::now();
  const Translator translator(ReadModelDirectory(command.model), command.model);
  const double load_seconds = SecondsSince(load_start);

  std::vector<double> seconds;
  for (int repetition = -1; repetition < command.repetitions; ++repetition) {
    const Clock::time_point start = Clock::now();
    for (std::size_t first = 0; first < lines.size(); first += batch) {
      const std::size_t last = std::min(first + batch, lines.size());
      translator.Translate({lines.begin() + first, lines.begin() + last}, command.options);
    }
    if (repetition >= 0) seconds.push_back(SecondsSince(start));  // the first warms up
  }

  const double median = Median(seconds);
  const auto [fastest, slowest] = std::ranges::minmax(seconds);
  ObjectWriter json;
  json.Text("model", command.model);
  json.Text("kernels", ActiveKernels().name);
  json.Count("threads", command.options.threads);
  json.Count("beam", command.options.beam_size > 0
                         ? command.options.beam_size
                         : translator.checkpoint().generation().num_beams);
  json.Count("batch", batch);
  json.Count("lines", lines.size());
  json.Count("sentences", sentences);
  json.Count("words", words);
  json.Count("repetitions", seconds.size());
  json.Number("load_ms", load_seconds * 1e3);
  json.Number("ms", median * 1e3);
  json.Number("ms_min", fastest * 1e3);
  json.Number("ms_max", slowest * 1e3);
  json.Number("ms_per_sentence", median * 1e3 / static_cast<double>(sentences));
  json.Number("sentences_per_second", static_cast<double>(sentences) / median);
  json.Number("words_per_second", static_cast<double>(words) / median);
  json.Number("peak_rss_bytes", PeakMemory());
  WriteOutput(json.Finish());
}

}  // namespace translucent::cli
