// The safetensors container: a JSON header and a block of tensors, checked before use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace translucent {

enum class DType { kF32, kF16, kBF16, kI8 };

/// "F32", "F16", "BF16", "I8".
std::string_view DTypeName(DType dtype);
/// Bytes of one element.
std::size_t DTypeSize(DType dtype);

/// One tensor as it lies in the file; not necessarily aligned to its element size.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // product of shape times DTypeSize(dtype) of them
};

/// "[2, 3]", for messages.
std::string ShapeName(const std::vector<std::int64_t>& shape);

struct SafeTensors {
  std::map<std::string, TensorView, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// Parses and checks the whole header: sizes, dtypes, shapes, no holes, no overlaps, no duplicate
/// names. The views point into `bytes`. Throws Error naming `file` and the tensor.
SafeTensors ParseSafeTensors(std::span<const std::byte> bytes, std::string_view file);

/// The values of an F32, F16 or BF16 tensor; exact, since every such value is a float.
std::vector<float> ToFloats(const TensorView& tensor);

}  // namespace translucent
