// What the binding files share: errors, offsets, options and arrays across the border to
// JavaScript.
#pragma once

#include <emscripten/val.h>

#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/utf8.h"

namespace translucent {

/// Runs `work`; a C++ exception becomes a JavaScript Error with its message.
template <class Work>
auto Guarded(Work&& work) -> decltype(work()) {
  std::string message;
  try {
    return work();
  } catch (const std::bad_alloc&) {
    message = "memory: not enough";
  } catch (const std::exception& error) {
    message = error.what();
  }
  emscripten::val::global("Error").new_(message).throw_();
}

/// Where each byte of a UTF-8 text lies in UTF-16; `offsets[size]` is the whole length.
inline std::vector<unsigned> Utf16Offsets(std::string_view text) {
  std::vector<unsigned> offsets(text.size() + 1);
  unsigned units = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Character character = DecodeUtf8(text.substr(i));
    for (std::size_t b = 0; b < character.length; ++b) offsets[i + b] = units;
    units += character.code_point >= 0x10000 ? 2 : 1;
    i += character.length;
  }
  offsets[text.size()] = units;
  return offsets;
}

/// Sets `number` where the options have one of this name.
template <class Number>
void Read(const emscripten::val& options, const char* name, Number& number) {
  const emscripten::val value = options[name];
  if (!value.isUndefined() && !value.isNull()) number = value.as<Number>();
}

/// A typed array of its own, since a view dies with the next growth of the memory.
template <class Number>
emscripten::val ToTypedArray(std::span<const Number> values) {
  return emscripten::val(emscripten::typed_memory_view(values.size(), values.data()))
      .call<emscripten::val>("slice");
}

}  // namespace translucent
