// Model directories built in memory, whole or broken on purpose.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "doctest/doctest.h"
#include "fixtures.h"
#include "format/checkpoint.h"
#include "safetensors_file.h"

namespace translucent::test {

/// The files of a small model under tests/fixtures/format/layouts, to be changed before loading.
struct ModelBuilder {
  std::map<std::string, std::string> files;
  std::map<std::string, Tensor> tensors;
  std::size_t misalign = 0;  // bytes: where the weights begin behind a multiple of 8

  explicit ModelBuilder(const std::string& layout) {
    const std::string folder = "format/layouts/" + layout + "/";
    for (std::string_view name : kModelFileNames) {
      const std::string path = folder + std::string(name);
      if (name == "model.safetensors" || !HasFixture(path)) continue;
      const auto bytes = ReadFixture(path);
      files.emplace(name, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    }
    const auto bytes = ReadFixture(folder + "model.safetensors");
    for (const auto& [name, view] : ParseSafeTensors(bytes, "fixture").tensors) {
      tensors[name] = {
          std::string(DTypeName(view.dtype)), view.shape, {view.bytes.begin(), view.bytes.end()}};
    }
  }

  FileBytes Weights() const { return SafeTensorsFile(tensors, 8, misalign); }

  /// Puts `to` where `from` is in a file.
  void Replace(const std::string& file, std::string_view from, std::string_view to) {
    std::string& text = files.at(file);
    const std::size_t at = text.find(from);
    REQUIRE(at != text.npos);
    text.replace(at, from.size(), to);
  }

  Checkpoint Load() const {
    std::vector<ModelFile> list;
    for (const auto& [name, text] : files) list.push_back({name, Bytes(text)});
    if (!tensors.empty()) list.push_back({"model.safetensors", Weights()});
    return Checkpoint(std::move(list), "m");
  }
};

/// The message of the Error that `run` throws; "no error" when it throws none.
template <typename Run>
std::string ErrorOf(Run run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace translucent::test
