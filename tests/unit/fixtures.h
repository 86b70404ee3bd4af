// Files under tests/fixtures, for tests on both targets.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "base/aligned.h"
#include "base/error.h"

namespace translucent::test {

/// Path of a file under tests/fixtures; TRANSLUCENT_FIXTURES overrides where that is.
inline std::string FixturePath(const std::string& name) {
  const char* folder = std::getenv("TRANSLUCENT_FIXTURES");
  return std::string(folder ? folder : TRANSLUCENT_FIXTURES) + "/" + name;
}

inline bool HasFixture(const std::string& name) { return std::ifstream(FixturePath(name)).good(); }

/// Content of a file under tests/fixtures; throws Error when it cannot be read.
inline FileBytes ReadFixture(const std::string& name) {
  std::ifstream file(FixturePath(name), std::ios::binary);
  if (!file) throw Error(FixturePath(name), "cannot be opened");
  FileBytes bytes;
  for (std::istreambuf_iterator<char> byte(file), end; byte != end; ++byte) {
    bytes.push_back(static_cast<std::byte>(*byte));
  }
  return bytes;
}

}  // namespace translucent::test
