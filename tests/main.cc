// Runs doctest and closes with one line, `N passed, N failed`. A run that executed no test fails.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

namespace {

unsigned executed = 0;
unsigned failed = 0;

// Keeps the totals of the run; doctest itself only prints them.
struct Totals : doctest::IReporter {
  explicit Totals(const doctest::ContextOptions&) {}
  void test_run_end(const doctest::TestRunStats& stats) override {
    executed = stats.numTestCasesPassingFilters;
    failed = stats.numTestCasesFailed;
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
DOCTEST_REGISTER_LISTENER("totals", 1, Totals);

}  // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
#if defined(__EMSCRIPTEN__)
  context.setOption("no-colors", true);  // doctest takes every output here for a terminal
#endif
  const int status = context.run();
  if (context.shouldExit()) return status;  // --help, --list-test-cases
  if (executed == 0) std::fprintf(stderr, "error: no test was executed\n");
  std::printf("%u passed, %u failed\n", executed - failed, failed);
  return executed == 0 ? 1 : status;
}
