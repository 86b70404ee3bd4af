// Picks the kernel set at run time.
#include <vector>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "kernels/sets.h"

namespace translucent {
namespace {

#if defined(__x86_64__)
// Everything avx512.cc is compiled for.
bool RunsAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#elif defined(__aarch64__)
bool RunsNeonDot() {
#if defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return true;  // Apple's, and whatever runs Windows 11
#endif
}
#endif

std::vector<const Kernels*> FindRunnable() {
  std::vector<const Kernels*> runnable = {&kScalarKernels};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    runnable.push_back(&kAvx2Kernels);
    if (RunsAvx512()) runnable.push_back(&kAvx512Kernels);
    // Client processors have either of the two; where both are, the wider wins.
    if (__builtin_cpu_supports("avxvnni")) runnable.push_back(&kAvxVnniKernels);
    if (RunsAvx512() && __builtin_cpu_supports("avx512vnni")) {
      runnable.push_back(&kAvx512VnniKernels);
    }
  }
#elif defined(__aarch64__)
  runnable.push_back(&kNeonKernels);
  if (RunsNeonDot()) runnable.push_back(&kNeonDotKernels);
#elif defined(__wasm_relaxed_simd__)
  runnable.push_back(&kWasmRelaxedKernels);
#elif defined(__wasm_simd128__)
  runnable.push_back(&kWasmSimd128Kernels);
#endif
  return runnable;
}

}  // namespace

std::span<const Kernels* const> RunnableKernels() {
  static const std::vector<const Kernels*> runnable = FindRunnable();
  return runnable;
}

const Kernels& ActiveKernels() {
  static const Kernels& active = *RunnableKernels().back();  // each set is faster than the last
  return active;
}

}  // namespace translucent
