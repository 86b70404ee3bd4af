// Bindings for looking inside: traces, similarity functions, the race. What they return is made of
// plain objects and typed arrays.
#pragma once

#include <emscripten/bind.h>

#include "translator.h"

namespace translucent {

/// Adds them to the Translator's functions and the module's.
void BindInside(emscripten::class_<Translator>& translator);

}  // namespace translucent
