// Benchmarks of whole searches, beside those of the kernels.
#pragma once

namespace translucent {

/// Adds them to what is run.
void RegisterSearch();

}  // namespace translucent
