// Scripts, capitals and spaces: what a sentence is made of, where that decides how it is
// translated.
#pragma once

#include <string>
#include <string_view>

namespace translucent {

/// White space of every kind and width, line breaks and the byte order mark among it.
bool IsSpace(char32_t c);

/// Han and kana, which stand without spaces between words and end sentences with 。
bool IsCjk(char32_t c);

/// Whether a sentence of `language` (BCP 47) has nothing in it to translate, and is its own
/// translation: no letter of the script that the language is written in, but in e-mail and web
/// addresses. "1985", "😀", "anna@example.com"; "Hello!" where the source is Chinese. Never where
/// the language is not told or not among those whose script is known here.
bool IsVerbatim(std::string_view sentence, std::string_view language);

/// Whether a sentence is written in capitals: Latin letters, two words and six letters at least, no
/// small one. A single word may be a name for short: "NATO". Models have seen next to no such
/// sentences.
bool IsInCapitals(std::string_view sentence);

/// The sentence in small letters, the first one large, and back. Letters up to U+017F whose other
/// case takes as many bytes, so that places in the one are places in the other; ß becomes SS.
std::string WithoutCapitals(std::string_view sentence);
std::string InCapitals(std::string_view text);

}  // namespace translucent
