// Safetensors files and model directories built in memory, whole or broken on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "doctest/doctest.h"
#include "fixtures.h"
#include "format/checkpoint.h"

namespace translucent::test {

inline FileBytes Bytes(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

/// A safetensors file: the header's length (or `length` when given), the header, the data.
inline FileBytes SafeTensorsFile(std::string_view header, std::size_t data_bytes,
                                 const std::uint64_t* length = nullptr) {
  const std::uint64_t header_bytes = length ? *length : header.size();
  FileBytes file(8);
  std::memcpy(file.data(), &header_bytes, 8);
  const auto text = Bytes(header);
  file.insert(file.end(), text.begin(), text.end());
  file.resize(file.size() + data_bytes, std::byte{});
  return file;
}

struct Tensor {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};

inline Tensor FloatTensor(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor tensor{"F32", std::move(shape), std::vector<std::byte>(values.size() * 4)};
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

/// The files of a small model under tests/fixtures/format/layouts, to be changed before loading.
struct ModelBuilder {
  std::map<std::string, std::string> files;
  std::map<std::string, Tensor> tensors;
  int misalign = 0;  // bytes of padding in the header

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

  FileBytes Weights() const {
    std::string header = "{";
    std::size_t offset = 0;
    for (const auto& [name, tensor] : tensors) {
      const std::size_t end = offset + tensor.bytes.size();
      header += (offset ? ",\"" : "\"") + name + "\":{\"dtype\":\"" + tensor.dtype +
                "\",\"shape\":" + ShapeName(tensor.shape) + ",\"data_offsets\":[" +
                std::to_string(offset) + "," + std::to_string(end) + "]}";
      offset = end;
    }
    header += "}";
    while (header.size() % 8 != static_cast<std::size_t>(misalign)) header += ' ';
    auto file = SafeTensorsFile(header, offset);
    std::byte* data = file.data() + 8 + header.size();
    for (const auto& [name, tensor] : tensors) {
      if (!tensor.bytes.empty()) std::memcpy(data, tensor.bytes.data(), tensor.bytes.size());
      data += tensor.bytes.size();
    }
    return file;
  }

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
