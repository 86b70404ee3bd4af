#include "format/safetensors.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "doctest/doctest.h"
#include "fixtures.h"
#include "format/model_builder.h"

namespace translucent {
namespace {

using test::ErrorOf;
using test::ReadFixture;
using test::SafeTensorsFile;

TEST_CASE("safetensors: a file of several dtypes, an empty tensor and a scalar") {
  const auto file = SafeTensorsFile(
      R"({"__metadata__":{"format":"pt"},)"
      R"("b":{"dtype":"I8","shape":[2,3],"data_offsets":[4,10]},)"
      R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
      R"("none":{"dtype":"F16","shape":[9223372036854775807,4,0],"data_offsets":[10,10]},)"
      R"("c":{"dtype":"BF16","shape":[1],"data_offsets":[10,12]}}   )",
      12);
  const SafeTensors result = ParseSafeTensors(file, "f");
  CHECK(result.metadata.at("format") == "pt");
  REQUIRE(result.tensors.size() == 4);
  const TensorView& b = result.tensors.at("b");
  CHECK(b.dtype == DType::kI8);
  CHECK(b.shape == std::vector<std::int64_t>{2, 3});
  CHECK(b.bytes.size() == 6);
  CHECK(b.bytes.data() == file.data() + file.size() - 8);
  CHECK(result.tensors.at("a").shape.empty());
  CHECK(result.tensors.at("a").bytes.size() == 4);
  CHECK(result.tensors.at("none").bytes.empty());
  CHECK(ToFloats(result.tensors.at("none")).empty());
}

TEST_CASE("safetensors: no tensors at all") {
  CHECK(ParseSafeTensors(SafeTensorsFile("{}", 0), "f").tensors.empty());
}

TEST_CASE("safetensors: broken headers") {
  struct Bad {
    std::string header;
    std::size_t data_bytes;
    std::string error;
  };
  const std::string f32 = R"("dtype":"F32",)";
  const auto tensor = [](std::string fields) { return R"({"a":{)" + fields + "}}"; };
  const std::vector<Bad> cases = {
      {"", 0, "f: header: does not start with '{'"},
      {" {}", 0, "f: header: does not start with '{'"},
      {"[]", 0, "f: header: does not start with '{'"},
      {"{", 0, "f: header: not valid JSON at byte 2"},
      {"{} x", 0, "f: header: not valid JSON at byte 4"},
      {"{}{}", 0, "f: header: not valid JSON at byte 3"},
      {std::string("{}\0\0", 4), 0, "f: header: not valid JSON at byte 3"},
      {"{\"\xFF\":1}", 0, "f: header: not valid JSON at byte 3"},
      {R"({"a":1e999})", 0, "f: header: not valid JSON at byte 10"},
      {R"({"a":1})", 0, "f: tensor 'a': its header entry is not an object"},
      {R"({"a\nb":1})", 0, "f: tensor 'a\\x0ab': its header entry is not an object"},
      {R"({"__metadata__":[]})", 0, "f: header: __metadata__ is not an object"},
      {R"({"__metadata__":{"a":1}})", 0, "f: header: __metadata__: 'a' is not a string"},
      {R"({"a":{},"b":{},"a":{}})", 0, "f: header: the name 'a' is there twice"},
      {tensor(R"("dtype":"F32","dtype":"F32")"), 0, "f: header: the name 'dtype' is there twice"},
      {tensor(""), 0, "f: tensor 'a': dtype is not a string"},
      {tensor(R"("dtype":3)"), 0, "f: tensor 'a': dtype is not a string"},
      {tensor(R"("dtype":"F64")"), 0,
       "f: tensor 'a': dtype 'F64' is not supported (F32, F16, BF16 and I8 are)"},
      {tensor(R"("dtype":"F32")"), 0, "f: tensor 'a': shape is not a list"},
      {tensor(f32 + R"("shape":4)"), 0, "f: tensor 'a': shape is not a list"},
      {tensor(f32 + R"("shape":[-1])"), 0,
       "f: tensor 'a': shape: -1 is not a whole number from 0 to 2^63-1"},
      {tensor(f32 + R"("shape":[1.5])"), 0,
       "f: tensor 'a': shape: 1.5 is not a whole number from 0 to 2^63-1"},
      {tensor(f32 + R"("shape":["1"])"), 0,
       "f: tensor 'a': shape: '1' is not a whole number from 0 to 2^63-1"},
      {tensor(f32 + R"("shape":[9223372036854775808])"), 0,
       "f: tensor 'a': shape: 9.22337204e+18 is not a whole number from 0 to 2^63-1"},
      {tensor(f32 + R"("shape":[18446744073709551616])"), 0,
       "f: tensor 'a': shape: 1.84467441e+19 is not a whole number from 0 to 2^63-1"},
      {tensor(f32 + R"("shape":[1])"), 0, "f: tensor 'a': data_offsets is not a list"},
      {tensor(f32 + R"("shape":[1],"data_offsets":[0])"), 4,
       "f: tensor 'a': data_offsets does not hold two numbers"},
      {tensor(f32 + R"("shape":[1],"data_offsets":[0,4,8])"), 8,
       "f: tensor 'a': data_offsets does not hold two numbers"},
      {tensor(f32 + R"("shape":[1],"data_offsets":[-4,0])"), 4,
       "f: tensor 'a': data_offsets: -4 is not a whole number from 0 to 2^63-1"},
      {tensor(f32 + R"("shape":[1],"data_offsets":[4,0])"), 4,
       "f: tensor 'a': data_offsets [4, 0] end before they begin"},
      {tensor(f32 + R"("shape":[2],"data_offsets":[0,8])"), 4,
       "f: tensor 'a': data_offsets [0, 8] go past the end of the data (4 bytes)"},
      {tensor(f32 + R"("shape":[1],"data_offsets":[9223372036854775803,9223372036854775807])"), 4,
       "f: tensor 'a': data_offsets [9223372036854775803, 9223372036854775807] go past the end of "
       "the data (4 bytes)"},
      {tensor(f32 + R"("shape":[2],"data_offsets":[0,4])"), 4,
       "f: tensor 'a': data_offsets [0, 4] hold 4 bytes, F32 [2] needs 8"},
      {tensor(R"("dtype":"I8","shape":[2],"data_offsets":[0,4])"), 4,
       "f: tensor 'a': data_offsets [0, 4] hold 4 bytes, I8 [2] needs 2"},
      // 2^62 * 4 bytes = 2^64 = 0 where the product wraps around.
      {tensor(f32 + R"("shape":[4611686018427387904],"data_offsets":[0,0])"), 0,
       "f: tensor 'a': shape [4611686018427387904] is too large"},
      {tensor(f32 + R"("shape":[4294967296,4294967296],"data_offsets":[0,0])"), 0,
       "f: tensor 'a': shape [4294967296, 4294967296] is too large"},
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"I8","shape":[4],"data_offsets":[3,7]}})",
       7, "f: tensor 'b': overlaps tensor 'a'"},
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}})",
       4, "f: tensor 'b': overlaps tensor 'a'"},
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"I8","shape":[0],"data_offsets":[2,2]}})",
       4, "f: tensor 'b': overlaps tensor 'a'"},
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"I8","shape":[4],"data_offsets":[6,10]}})",
       10, "f: tensor 'b': the 2 data bytes before it belong to no tensor"},
      {tensor(f32 + R"("shape":[1],"data_offsets":[0,4])"), 9,
       "f: the last 5 bytes belong to no tensor"},
      {"{}", 1, "f: the last 1 bytes belong to no tensor"},
      {R"({"a":)" + std::string(1000000, '['), 0, "f: header: nested deeper than 16 levels"},
  };
  for (const auto& [header, data_bytes, error] : cases) {
    CAPTURE(error);
    const auto file = SafeTensorsFile(header, data_bytes);
    CHECK(ErrorOf([&] { ParseSafeTensors(file, "f"); }) == error);
  }
}

TEST_CASE("safetensors: broken header lengths") {
  const auto error = [](std::uint64_t length) {
    const auto file = SafeTensorsFile("{}", 0, &length);
    return ErrorOf([&] { ParseSafeTensors(file, "f"); });
  };
  CHECK(error(2) == "no error");
  CHECK(error(3) == "f: truncated: a header of 3 bytes in a file of 10");
  CHECK(error(100'000'000) == "f: truncated: a header of 100000000 bytes in a file of 10");
  CHECK(error(100'000'001) == "f: header length 100000001 is over the limit of 100000000 bytes");
  CHECK(error(~std::uint64_t{0}) ==
        "f: header length 18446744073709551615 is over the limit of 100000000 bytes");
  CHECK(ErrorOf([] { ParseSafeTensors({}, "f"); }) ==
        "f: truncated: 0 bytes, the header length alone takes 8");
}

TEST_CASE("safetensors: f16 and bf16 as torch converts them") {
  const auto file = ReadFixture("format/values.safetensors");
  const SafeTensors values = ParseSafeTensors(file, "values");
  for (const char* name : {"f16", "bf16"}) {
    CAPTURE(name);
    const auto converted = ToFloats(values.tensors.at(name));
    const auto expected = ToFloats(values.tensors.at(std::string(name) + "_as_f32"));
    REQUIRE(converted.size() == expected.size());
    REQUIRE(converted.size() > 400);
    for (std::size_t i = 0; i < converted.size(); ++i) {
      CAPTURE(i);
      if (std::isnan(expected[i])) {
        CHECK(std::isnan(converted[i]));
      } else {
        CHECK(std::bit_cast<std::uint32_t>(converted[i]) ==
              std::bit_cast<std::uint32_t>(expected[i]));
      }
    }
  }
}

}  // namespace
}  // namespace translucent
