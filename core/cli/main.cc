// The `translucent` command: parses the call, runs it, turns errors into one line and an exit code.

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "base/error.h"
#include "cli/commands.h"

namespace {

using namespace translucent;

constexpr int kWorkFailed = 1;
constexpr int kCallWrong = 2;

int Fail(int code, std::string message) {
  // Names of files may hold anything; an error is one line.
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return code;
}

/// --beam, --shortlist and --threads, which mean the same wherever a text is translated.
void AddSearchOptions(CLI::App* app, TranslateOptions& options, const std::string& threads_help) {
  app->add_option("--beam", options.beam_size, "Beam size; 1 is greedy (default: the model's)")
      ->check(CLI::Range(1, 1000));
  app->add_flag(
      "--shortlist", options.shortlist,
      "Only the words that the model's shortlist.bin allows; faster, may change the text");
  app->add_option("--threads", options.threads, threads_help)
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // writing tells when the reader has gone

  CLI::App app("A Transformer translator you can see through.", "translucent");
  app.require_subcommand(1);
  app.footer("Exit status: 0 done, 1 the work failed, 2 the call was wrong.");

  cli::TranslateCommand translate;
  std::string translate_format = "text";
  CLI::App* translate_app =
      app.add_subcommand("translate", "Translate standard input or a file, line by line");
  translate_app->add_option("--model", translate.model, "Model directory")->required();
  translate_app->add_option("--from", translate.from, "Source language, to check the model's");
  translate_app->add_option("--to", translate.to, "Target language, to check the model's");
  AddSearchOptions(translate_app, translate.options, "Sentences translated at once");
  translate_app
      ->add_option("--nbest", translate.options.nbest,
                   "Candidates per line; above 1 as rows LINE ||| TEXT ||| SCORE, lines from 0")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  translate_app
      ->add_option("--max-length", translate.options.max_length,
                   "Target tokens per sentence (default: the model's)")
      ->check(CLI::Range(1, 1 << 16));
  translate_app->add_option("--format", translate_format, "text, or jsonl: one object per line")
      ->check(CLI::IsMember({"text", "jsonl"}))
      ->capture_default_str();
  translate_app->add_option("FILE", translate.file, "Input (default: standard input)");
  translate_app->callback([&] {
    translate.jsonl = translate_format == "jsonl";
    translate.options.scores = translate.jsonl;
    cli::Run(translate);
  });

  cli::AttentionCommand attention;
  std::string attention_format = "json";
  std::string target;
  CLI::App* attention_app = app.add_subcommand(
      "attention", "Translate one sentence and show the attention of every layer and head");
  attention_app->add_option("--model", attention.model, "Model directory")->required();
  CLI::Option* target_option = attention_app->add_option(
      "--target", target, "Explain this translation (default: the model's own)");
  attention_app->add_option("--format", attention_format, "json, or svg: a picture")
      ->check(CLI::IsMember({"json", "svg"}))
      ->capture_default_str();
  attention_app
      ->add_option("--candidates", attention.candidates,
                   "Adds to json for every target token the N most probable ones and the entropy")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 24));
  attention_app->add_option("--output", attention.output, "File (default: standard output)");
  attention_app->add_option("TEXT", attention.text, "The sentence")->required();
  attention_app->callback([&] {
    if (target_option->count() > 0) attention.target = target;
    attention.svg = attention_format == "svg";
    if (attention.svg && attention.candidates > 0) {
      throw cli::UsageError("--candidates: only with --format json");
    }
    cli::Run(attention);
  });

  cli::InspectCommand inspect;
  std::string inspect_format = "text";
  CLI::App* inspect_app =
      app.add_subcommand("inspect", "Show what a model directory holds and check it");
  inspect_app->add_option("--format", inspect_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  inspect_app->add_option("DIR", inspect.model, "Model directory")->required();
  inspect_app->callback([&] {
    inspect.json = inspect_format == "json";
    cli::Run(inspect);
  });

  cli::BenchCommand bench;
  CLI::App* bench_app = app.add_subcommand("bench", "Measure how fast a text is translated");
  bench_app->add_option("--model", bench.model, "Model directory")->required();
  bench_app->add_option("--input", bench.input, "Text, line by line (default: standard input)");
  AddSearchOptions(bench_app, bench.options, "Threads that share each call");
  bench_app->add_option("--batch", bench.batch, "Lines translated in one call (default: all)")
      ->check(CLI::Range(1, 1 << 24));
  bench_app->add_option("--repetitions", bench.repetitions, "Runs measured, after one to warm up")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  bench_app->callback([&] { cli::Run(bench); });

  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return Fail(kCallWrong, "translucent: " + std::string(error.what()));
  } catch (const cli::UsageError& error) {
    return Fail(kCallWrong, error.what());
  } catch (const Error& error) {
    return Fail(kWorkFailed, error.what());
  } catch (const std::bad_alloc&) {
    return Fail(kWorkFailed, "memory: not enough");
  } catch (const std::exception& error) {
    return Fail(kWorkFailed, std::string("unexpected: ") + error.what());
  }
}
