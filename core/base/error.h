// The one error type of the core: bad input, never a bug.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace translucent {

/// Thrown on input that cannot be used. `what` names the file, tensor, field or line; `why` says
/// what is wrong with it. what() is "WHAT: WHY", which the command line prints after "error: ".
class Error : public std::runtime_error {
 public:
  Error(std::string_view what, std::string_view why)
      : std::runtime_error(std::string(what) + ": " + std::string(why)) {}
};

}  // namespace translucent
