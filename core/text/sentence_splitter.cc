#include "text/sentence_splitter.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "text/letters.h"
#include "text/utf8.h"

// The rules follow the idea of UAX #29 (full stop and lower case: no end), with lists of
// abbreviations for English and German and with the marks of other scripts.

namespace translucent {
namespace {

using Words = std::span<const std::string_view>;

// Never the end of a sentence, written exactly so.
constexpr std::string_view kTitles[] = {
    "Mr",  "Mrs", "Ms",  "Dr",   "Prof", "St",  "Hr",   "Fr",   "Frl", "Mme",  "Mlle",
    "Sra", "Dra", "Rev", "Hon",  "Gen",  "Col", "Capt", "Lt",   "Sgt", "Cmdr", "Gov",
    "Sen", "Rep", "Mag", "Dipl", "Ing",  "Hrn", "Msgr", "Univ", "Mt",  "Ft",
};
// Never the end, small or capitalised.
constexpr std::string_view kNeverEnd[] = {
    "vs",   "cf",    "viz", "approx", "bzw",  "vgl",  "ca",    "evtl", "ggf", "inkl", "exkl",
    "zzgl", "abzgl", "sog", "geb",    "gest", "bspw", "insb",  "resp", "lt",  "e.g",  "i.e",
    "z.b",  "d.h",   "u.a", "o.ä",    "s.o",  "s.u",  "i.d.r", "u.u",  "v.a", "z.t",  "m.e",
};
// Not the end before a number.
constexpr std::string_view kBeforeNumber[] = {
    "no",  "nos", "nr",  "art", "fig",  "vol", "p",   "pp",  "s",   "bd",  "kap", "abb",
    "tab", "abs", "sec", "ch",  "eq",   "op",  "tel", "ext", "jan", "feb", "mar", "apr",
    "jun", "jul", "aug", "sep", "sept", "oct", "okt", "nov", "dec", "dez",
};
// The end before any word that is not small.
constexpr std::string_view kOftenEnd[] = {"etc", "usw", "a.m", "p.m"};
// The end only before a word that begins sentences; so are acronyms with stops, "U.S.".
constexpr std::string_view kSeldomEnd[] = {"al", "Inc", "Ltd", "Co", "Corp", "Jr", "Sr", "Bros"};

constexpr std::string_view kStarters[] = {
    "The",    "A",     "An",      "It",    "He",    "She",   "We",     "They",  "I",
    "You",    "This",  "That",    "These", "Those", "There", "In",     "On",    "At",
    "But",    "And",   "However", "If",    "When",  "What",  "Who",    "Where", "Why",
    "How",    "After", "My",      "His",   "Her",   "Our",   "Der",    "Die",   "Das",
    "Ein",    "Eine",  "Er",      "Sie",   "Es",    "Wir",   "Ihr",    "Ich",   "Du",
    "Im",     "Am",    "Aber",    "Und",   "Doch",  "Wenn",  "Dann",   "Diese", "Dieser",
    "Dieses", "Was",   "Wer",     "Wo",    "Warum", "Wie",   "Danach", "Auch",
};
// What a German ordinal number counts: "am 3. Mai", "im 19. Jahrhundert".
constexpr std::string_view kOrdinals[] = {
    "Januar",     "Februar",   "März",    "April",      "Mai",      "Juni",        "Juli",
    "August",     "September", "Oktober", "November",   "Dezember", "Jahrhundert", "Jahrhunderts",
    "Jh",         "Klasse",    "Stock",   "Mal",        "Kapitel",  "Auflage",     "Bezirk",
    "Geburtstag", "Weltkrieg", "Platz",   "Lebensjahr",
};

bool Contains(Words words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr bool IsIn(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }
constexpr bool IsDigit(char32_t c) { return IsIn(c, '0', '9'); }

bool IsLineBreak(char32_t c) {
  return IsIn(c, '\n', '\r') || c == 0x85 || c == 0x2028 || c == 0x2029;
}

// What takes no space beside it: such letters, CJK punctuation and full-width forms.
bool IsUnspaced(char32_t c) {
  return IsCjk(c) || IsIn(c, 0x3000, 0x303F) || IsIn(c, 0xFF00, 0xFF65);
}

// A letter of the scripts that have small and capital letters, roughly.
bool IsCasedLetter(char32_t c) {
  return IsIn(c, 'A', 'Z') || IsIn(c, 'a', 'z') ||
         (IsIn(c, 0xC0, 0x24F) && c != 0xD7 && c != 0xF7) || IsIn(c, 0x386, 0x587) ||
         IsIn(c, 0x1E00, 0x1FFF);
}

bool IsLower(char32_t c) {
  if (IsIn(c, 'a', 'z')) return true;
  if (c < 0xDF) return false;
  if (c <= 0xFF) return c != 0xF7;
  // Pairs, capital and small in turn; in these two stretches the small one is even.
  if (c <= 0x17F) return (IsIn(c, 0x139, 0x148) || IsIn(c, 0x179, 0x17E)) != (c % 2 == 1);
  if (IsIn(c, 0x1E00, 0x1EFF) || IsIn(c, 0x460, 0x481) || IsIn(c, 0x48A, 0x52F)) return c % 2 == 1;
  return IsIn(c, 0x3AC, 0x3CE) || IsIn(c, 0x430, 0x45F) || IsIn(c, 0x561, 0x587);
}

// Marks that end a sentence whatever follows.
bool IsFullStop(char32_t c) {
  switch (c) {
    case 0x3002:  // 。
    case 0xFF01:  // full-width !
    case 0xFF1F:  // full-width ?
    case 0xFF61:  // half-width 。
    case 0x061F:  // Arabic ?
    case 0x06D4:  // Urdu
    case 0x0589:  // Armenian
    case 0x0964:  // danda
    case 0x0965:  // double danda
    case 0x1362:  // Ethiopic
    case 0x104B:  // Burmese
    case 0x17D4:  // Khmer
      return true;
    default:
      return false;
  }
}

bool IsExclamation(char32_t c) {
  return c == '!' || c == '?' || c == 0x203C || IsIn(c, 0x2047, 0x2049);
}
bool IsDot(char32_t c) { return c == '.' || c == 0x2026 || c == 0xFF0E; }
bool IsMark(char32_t c) { return IsFullStop(c) || IsExclamation(c) || IsDot(c); }

bool IsCloser(char32_t c) {
  switch (c) {
    case '"':
    case '\'':
    case ')':
    case ']':
    case '}':
    case 0xAB:    // «, which closes in German
    case 0xBB:    // »
    case 0x2018:  // ', which closes in German
    case 0x2019:
    case 0x201C:  // ", which closes in German
    case 0x201D:
    case 0x2039:
    case 0x203A:
    case 0x3009:
    case 0x300B:
    case 0x300D:
    case 0x300F:
    case 0x3011:
    case 0x3015:
    case 0x3017:
    case 0xFF09:
    case 0xFF3D:
    case 0xFF5D:
    case 0xFF63:
      return true;
    default:
      return false;
  }
}

// Of the closers: quotes that open in another language.
bool OpensElsewhere(char32_t c) {
  return c == 0xAB || c == 0xBB || c == 0x2018 || c == 0x201C || c == 0x2039 || c == 0x203A;
}

bool IsOpener(char32_t c) {
  switch (c) {
    case '"':
    case '\'':
    case '(':
    case '[':
    case '{':
    case '-':
    case 0xA1:  // inverted !
    case 0xBF:  // inverted ?
    case 0xAB:
    case 0xBB:
    case 0x2013:
    case 0x2014:
    case 0x2018:
    case 0x201A:
    case 0x201C:
    case 0x201E:
    case 0x2039:
    case 0x203A:
    case 0x3008:
    case 0x300A:
    case 0x300C:
    case 0x300E:
    case 0x3010:
    case 0xFF08:
      return true;
    default:
      return false;
  }
}

// What belongs to the character before: cutting here would tear a letter or an emoji.
bool IsExtender(char32_t c) {
  return IsIn(c, 0x300, 0x36F) || c == 0x200D || IsIn(c, 0xFE00, 0xFE0F) || c == 0x20E3 ||
         IsIn(c, 0x3099, 0x309A) || IsIn(c, 0x1F3FB, 0x1F3FF) || IsIn(c, 0xE0020, 0xE007F);
}

// A comma, semicolon or colon, which a long stretch is best cut after.
bool IsPause(char32_t c) {
  return c == ',' || c == ';' || c == ':' || c == 0x60C || c == 0x61B || c == 0x3001 ||
         c == 0xFF0C || c == 0xFF1A || c == 0xFF1B || c == 0xFF64;
}

// Walks over text by characters; an invalid byte is one.
class Text {
 public:
  explicit Text(std::string_view bytes) : bytes_(bytes) {}

  std::size_t size() const { return bytes_.size(); }
  std::string_view Slice(std::size_t begin, std::size_t end) const {
    return bytes_.substr(begin, end - begin);
  }
  // The character at `at`; a 0 of length 0 at the end.
  Utf8Character At(std::size_t at) const {
    return at < bytes_.size() ? DecodeUtf8(bytes_.substr(at, 4)) : Utf8Character{0, 0, false};
  }
  char32_t CodePoint(std::size_t at) const { return At(at).code_point; }
  // Where the character before `at` begins; `at` > 0.
  std::size_t Back(std::size_t at) const {
    for (std::size_t length = 2; length <= std::min<std::size_t>(4, at); ++length) {
      if (!IsUtf8Continuation(bytes_[at - length + 1])) break;
      if (At(at - length).length == length) return at - length;
    }
    return at - 1;
  }
  char32_t Before(std::size_t at) const { return at == 0 ? 0 : CodePoint(Back(at)); }

 private:
  std::string_view bytes_;
};

// Finds the sentences of one line.
class LineSplitter {
 public:
  LineSplitter(Text text, std::size_t begin, std::size_t end, std::size_t max_bytes,
               std::vector<SentenceRange>* sentences)
      : text_(text), line_begin_(begin), end_(end), max_bytes_(max_bytes), sentences_(sentences) {}

  void Split() {
    line_begin_ = std::min(SkipSpaces(line_begin_), end_);
    std::size_t begin = line_begin_;
    for (std::size_t at = begin; at < end_;) {
      const Utf8Character character = text_.At(at);
      if (!IsMark(character.code_point)) {
        at += character.length;
        continue;
      }
      const Marks marks = ReadMarks(at);
      if (IsEnd(at, marks)) {
        Add(begin, marks.end);
        begin = marks.end;
      }
      at = marks.end;
    }
    Add(begin, end_);
  }

 private:
  // A run of marks and of what closes after it.
  struct Marks {
    bool full_stop = false;    // one that ends a sentence whatever follows
    bool exclamation = false;  // one of ! ?
    bool ellipsis = false;     // several dots or one of three
    bool closed = false;       // a quote or bracket closes
    std::size_t end = 0;
  };

  Marks ReadMarks(std::size_t at) const {
    Marks marks;
    std::size_t dots = 0;
    for (; at < end_ && IsMark(text_.CodePoint(at)); at += text_.At(at).length) {
      const char32_t c = text_.CodePoint(at);
      marks.full_stop = marks.full_stop || IsFullStop(c);
      marks.exclamation = marks.exclamation || IsExclamation(c);
      dots += c == 0x2026 ? 2 : IsDot(c) ? 1 : 0;
    }
    marks.ellipsis = dots > 1;
    const std::size_t marks_end = at;
    while (at < end_ && IsCloser(text_.CodePoint(at))) {
      const std::size_t after = at + text_.At(at).length;
      if (OpensElsewhere(text_.CodePoint(at)) && IsLetterOrDigit(after)) break;
      at = after;
    }
    marks.closed = at > marks_end;
    // French sets a space before », after which nothing begins; German opens with it.
    const std::size_t quote = SkipSpaces(at);
    if (quote > at && quote < end_ && text_.CodePoint(quote) == 0xBB) {
      const std::size_t after = quote + 2;
      if (!IsLetterOrDigit(after)) {
        marks.closed = true;
        at = after;
      }
    }
    marks.end = at;
    return marks;
  }

  bool IsLetterOrDigit(std::size_t at) const {
    if (at >= end_) return false;
    const char32_t c = text_.CodePoint(at);
    return IsCasedLetter(c) || IsCjk(c) || IsDigit(c);
  }

  bool IsEnd(std::size_t mark, const Marks& marks) const {
    const std::size_t after = SkipSpaces(marks.end);
    if (after >= end_) return true;
    const char32_t next = text_.CodePoint(marks.end);
    if (marks.full_stop) return !(marks.closed && SpeechGoesOn(marks.end));
    if (after == marks.end) {  // no space: numbers, URLs, "e.g", or a Latin mark in CJK text
      if (!IsCjk(next)) return false;
      if (marks.exclamation) return !(marks.closed && SpeechGoesOn(marks.end));
      return !marks.ellipsis && IsCjk(text_.Before(mark));
    }

    std::size_t word = after;
    while (word < end_ && IsOpener(text_.CodePoint(word))) word += text_.At(word).length;
    const char32_t first = text_.CodePoint(word);
    // "Really?" he asked. (But: how are you? i am fine)
    if (IsLower(first)) return marks.exclamation && !marks.closed;
    if (marks.exclamation || marks.ellipsis) return true;
    return !IsAbbreviation(mark, word);
  }

  // Whether text goes on with who said it: と彼女は, 她说.
  bool SpeechGoesOn(std::size_t at) const {
    const char32_t next = text_.CodePoint(at);
    if (next == U'と' || next == U'っ') return true;
    for (int i = 0; i < 4 && at < end_; ++i, at += text_.At(at).length) {
      const char32_t c = text_.CodePoint(at);
      if (!IsCjk(c)) return false;
      if (c == U'说' || c == U'說' || c == U'道' || c == U'问' || c == U'問' || c == U'喊' ||
          c == U'叫' || c == U'答') {
        return true;
      }
    }
    return false;
  }

  // Whether the stop at `stop`, which a space and then a word or number at `next` follow, belongs
  // to what is before it.
  bool IsAbbreviation(std::size_t stop, std::size_t next) const {
    constexpr std::size_t kLongest = 24;  // bytes looked at; no word of the lists is longer
    std::size_t begin = stop;
    while (begin > line_begin_ && stop - begin < kLongest) {
      const std::size_t back = text_.Back(begin);
      const char32_t c = text_.CodePoint(back);
      if (c != '.' && !IsCasedLetter(c)) break;
      begin = back;
    }
    const std::string_view word = text_.Slice(begin, stop);
    if (word.empty()) return IsDigit(text_.Before(stop)) && IsOrdinal(stop, next);

    const bool before_number = IsDigit(text_.CodePoint(next));
    const std::string_view next_word = WordAt(next);
    const bool starter = Contains(kStarters, next_word);
    std::string small(word);  // "Vgl" as "vgl", "z.B" as "z.b", but not "CA" as "ca"
    const bool stops = word.find('.') != word.npos;
    for (std::size_t i = 0; i < (stops ? small.size() : 1); ++i) {
      if (small[i] >= 'A' && small[i] <= 'Z') small[i] = static_cast<char>(small[i] - 'A' + 'a');
    }
    if (Contains(kTitles, word) || Contains(kNeverEnd, small)) return true;
    if (Contains(kBeforeNumber, small) && before_number) return true;
    if (Contains(kOftenEnd, small)) return before_number;
    if (Contains(kSeldomEnd, word) || IsAcronym(word)) return !starter;

    // One letter: an initial, or part of an abbreviation in letters ("z. B.").
    if (text_.At(begin).length != word.size()) return false;
    const char32_t before = text_.Before(begin);
    if (begin > line_begin_ && !IsSpace(before) && (!IsOpener(before) || before == '\'')) {
      return false;  // it's.
    }
    if (AfterLetterAndStop(begin)) return true;
    const bool letter_and_stop_next = !next_word.empty() &&
                                      text_.At(next).length == next_word.size() &&
                                      text_.CodePoint(next + next_word.size()) == '.';
    return letter_and_stop_next || (!IsLower(text_.CodePoint(begin)) && !starter);
  }

  // "1. First" at the beginning of a line, "3. Mai", "3. 5. 2020".
  bool IsOrdinal(std::size_t stop, std::size_t next) const {
    std::size_t begin = stop;
    while (begin > line_begin_ && stop - begin < 4 && IsDigit(text_.Before(begin))) --begin;
    const std::size_t digits = stop - begin;
    if (begin == line_begin_ && digits <= 3) return true;
    if (digits > 2 || (begin > line_begin_ && !IsSpace(text_.Before(begin)))) return false;
    if (Contains(kOrdinals, WordAt(next))) return true;
    std::size_t number_end = next;
    while (number_end - next < 5 && IsDigit(text_.CodePoint(number_end))) ++number_end;
    if (number_end == next) return false;
    return text_.CodePoint(number_end) == '.' || AfterDigitAndStop(begin);
  }

  // "U.S", "Ph.D": stops between short parts.
  static bool IsAcronym(std::string_view word) {
    std::size_t part = 0;
    bool stops = false;
    for (const char c : word) {
      if (c == '.') {
        if (part == 0) return false;
        part = 0;
        stops = true;
      } else if (++part > 2) {
        return false;
      }
    }
    return stops;
  }

  // Whether a digit, a stop and a space are before `at`.
  bool AfterDigitAndStop(std::size_t at) const {
    while (at > line_begin_ && IsSpace(text_.Before(at))) at = text_.Back(at);
    if (at <= line_begin_ || text_.Before(at) != '.') return false;
    at = text_.Back(at);
    return at > line_begin_ && IsDigit(text_.Before(at));
  }

  // Whether a single letter, a stop and a space are before `at`.
  bool AfterLetterAndStop(std::size_t at) const {
    while (at > line_begin_ && IsSpace(text_.Before(at))) at = text_.Back(at);
    if (at <= line_begin_ || text_.Before(at) != '.') return false;
    at = text_.Back(at);
    if (at <= line_begin_ || !IsCasedLetter(text_.Before(at))) return false;
    at = text_.Back(at);
    return at <= line_begin_ || IsSpace(text_.Before(at)) || IsOpener(text_.Before(at));
  }

  std::string_view WordAt(std::size_t at) const {
    constexpr std::size_t kLongest = 24;
    std::size_t end = at;
    while (end < end_ && end - at < kLongest && IsCasedLetter(text_.CodePoint(end))) {
      end += text_.At(end).length;
    }
    return text_.Slice(at, end);
  }

  std::size_t SkipSpaces(std::size_t at) const {
    while (at < end_ && IsSpace(text_.CodePoint(at))) at += text_.At(at).length;
    return at;
  }

  std::size_t TrimSpaces(std::size_t begin, std::size_t end) const {
    while (end > begin && IsSpace(text_.Before(end))) end = text_.Back(end);
    return end;
  }

  // Adds [begin, end) without the spaces around it, in several parts if it is too long.
  void Add(std::size_t begin, std::size_t end) {
    begin = std::min(SkipSpaces(begin), end);
    end = TrimSpaces(begin, end);
    while (end - begin > max_bytes_) {
      const std::size_t cut = FindCut(begin, begin + max_bytes_);
      sentences_->push_back({begin, TrimSpaces(begin, cut)});
      begin = std::min(SkipSpaces(cut), end);
    }
    if (begin < end) sentences_->push_back({begin, end});
  }

  // Where to cut the text from `begin` at `limit` at the latest: after a pause or else at a space
  // in the second half, or else between two characters.
  std::size_t FindCut(std::size_t begin, std::size_t limit) const {
    std::size_t boundary = limit;
    while (boundary > begin && IsInsideCharacter(boundary)) --boundary;
    if (boundary == begin) return begin + text_.At(begin).length;

    const std::size_t earliest = begin + (limit - begin) / 2;
    std::size_t space = begin;
    for (std::size_t at = boundary; at > earliest; at = text_.Back(at)) {
      const bool before_space = IsSpace(text_.CodePoint(at));
      const char32_t c = text_.Before(at);
      if (IsPause(c) && (before_space || c > 0x7F)) return at;
      if (before_space && space == begin) space = at;
    }
    if (space > begin) return space;

    constexpr std::size_t kLongestCluster = 64;
    std::size_t whole = boundary;
    while (whole > begin && boundary - whole < kLongestCluster &&
           (IsExtender(text_.CodePoint(whole)) || text_.Before(whole) == 0x200D)) {
      whole = text_.Back(whole);
    }
    return whole > begin && boundary - whole < kLongestCluster ? whole : boundary;
  }

  // Whether a valid character reaches over `at`.
  bool IsInsideCharacter(std::size_t at) const {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, at); ++back) {
      if (!IsUtf8Continuation(text_.Slice(at - back + 1, at - back + 2)[0])) return false;
      if (text_.At(at - back).length > back) return true;
    }
    return false;
  }

  Text text_;
  std::size_t line_begin_;
  std::size_t end_;
  std::size_t max_bytes_;
  std::vector<SentenceRange>* sentences_;
};

}  // namespace

std::vector<SentenceRange> SplitSentences(std::string_view text, std::size_t max_bytes) {
  std::vector<SentenceRange> sentences;
  const Text characters(text);
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = characters.At(at);
    if (IsLineBreak(character.code_point)) {
      LineSplitter(characters, begin, at, max_bytes, &sentences).Split();
      begin = at + character.length;
    }
    at += character.length;
  }
  LineSplitter(characters, begin, text.size(), max_bytes, &sentences).Split();
  return sentences;
}

std::string_view SentenceSeparator(std::string_view before, std::string_view source,
                                   std::string_view after) {
  if (before.empty() || after.empty()) return source;
  std::size_t last = before.size() - 1;
  while (last > 0 && IsUtf8Continuation(before[last])) --last;
  const bool spaced = !IsUnspaced(DecodeUtf8(before.substr(last)).code_point) &&
                      !IsUnspaced(DecodeUtf8(after).code_point);
  if (source.empty() && spaced) return " ";
  if (source == " " && !spaced) return "";
  return source;
}

}  // namespace translucent
