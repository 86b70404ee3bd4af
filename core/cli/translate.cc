// `translucent translate`: one line in, one line out.

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/json_text.h"
#include "decode/shortlist.h"

namespace translucent::cli {
namespace {

// Lines translated together per thread: enough to fill batches of like lengths.
constexpr std::size_t kLinesAtOnce = 64;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Language tags agree when one is the other or a narrower form of it: zh, zh-CN.
bool Agree(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  const auto same = [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y) || (x == '_' && y == '-') || (x == '-' && y == '_');
  };
  return std::equal(a.begin(), a.end(), b.begin(), same) &&
         (a.size() == b.size() || b[a.size()] == '-' || b[a.size()] == '_');
}

void CheckLanguages(const TranslateCommand& command, const Checkpoint& checkpoint) {
  const std::string& from = checkpoint.source_language();
  const std::string& to = checkpoint.target_language();
  const bool other_source = !command.from.empty() && !from.empty() && !Agree(command.from, from);
  const bool other_target = !command.to.empty() && !to.empty() && !Agree(command.to, to);
  if (!other_source && !other_target) return;
  const auto name = [](const std::string& asked, const std::string& own) {
    return asked.empty() ? own.empty() ? "?" : own : asked;
  };
  throw Error(command.model, "translates " + name("", from) + " to " + name("", to) + ", not " +
                                 name(command.from, from) + " to " + name(command.to, to));
}

// Moses' n-best rows, numbered from 0: LINE ||| TEXT ||| SCORE.
void AppendRows(std::size_t line, const std::vector<Candidate>& candidates, std::string* out) {
  for (const Candidate& candidate : candidates) {
    *out += std::to_string(line) + " ||| " + candidate.text + " ||| ";
    AppendNumber(candidate.score, out);
    *out += '\n';
  }
}

void AppendObject(const std::string& source, const std::vector<Candidate>& candidates,
                  std::string* out) {
  const auto append = [out](std::string_view name, const Candidate& candidate) {
    AppendString(name, out);
    *out += ':';
    AppendString(candidate.text, out);
    *out += ",\"score\":";
    AppendNumber(candidate.score, out);
  };
  *out += "{\"source\":";
  AppendString(source, out);
  *out += ',';
  append("translation", candidates.front());
  *out += ",\"candidates\":[";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    *out += i == 0 ? "{" : ",{";
    append("text", candidates[i]);
    *out += '}';
  }
  *out += "]}\n";
}

}  // namespace

void Run(const TranslateCommand& command) {
  const Translator translator(ReadModelDirectory(command.model), command.model);
  CheckLanguages(command, translator.checkpoint());
  const TranslateOptions& options = command.options;
  if (options.shortlist) translator.checkpoint().File(kShortlistFile);  // before the first line
  const int beams =
      options.beam_size > 0 ? options.beam_size : translator.checkpoint().generation().num_beams;
  if (options.nbest > beams) {
    throw UsageError("--nbest: " + std::to_string(options.nbest) + " of " + std::to_string(beams) +
                     " beams, raise --beam");
  }

  LineReader reader(command.file);
  const std::size_t lines_at_once = kLinesAtOnce * static_cast<std::size_t>(options.threads);
  std::size_t line = 0;  // number of the chunk's first, from 0
  while (true) {
    std::vector<std::string> sources = reader.Read(lines_at_once);
    if (sources.empty()) return;
    if (line == 0 && sources.front().starts_with(kByteOrderMark)) {
      sources.front().erase(0, kByteOrderMark.size());
    }
    // What comes before a broken line is still translated.
    std::size_t broken_byte = std::string::npos;
    const auto broken = std::find_if(sources.begin(), sources.end(), [&](const auto& source) {
      broken_byte = FindInvalidUtf8(source);
      return broken_byte != source.npos;
    });
    sources.erase(broken, sources.end());

    std::string out;
    const auto translations = translator.Translate(sources, options);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (command.jsonl) {
        AppendObject(sources[i], translations[i], &out);
      } else if (options.nbest > 1) {
        AppendRows(line + i, translations[i], &out);
      } else {
        out += translations[i].front().text + '\n';
      }
    }
    WriteOutput(out);
    line += sources.size();
    if (broken_byte != std::string::npos) {
      throw Error(reader.name() + " line " + std::to_string(line + 1),
                  "invalid UTF-8 at byte " + std::to_string(broken_byte + 1));
    }
  }
}

}  // namespace translucent::cli
