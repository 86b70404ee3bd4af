#include "text/sentence_splitter.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "lines.h"
#include "text/utf8.h"

namespace translucent::test {
namespace {

using Sentences = std::vector<std::string>;

Sentences Split(std::string_view text, std::size_t max_bytes = kMaxSentenceBytes) {
  Sentences sentences;
  for (const SentenceRange& range : SplitSentences(text, max_bytes)) {
    sentences.emplace_back(text.substr(range.begin, range.end - range.begin));
  }
  return sentences;
}

// `marked` with its " | " and "|" taken out splits where they were.
void CheckSplit(std::string_view marked) {
  std::string text;
  Sentences expected(1);
  for (std::size_t i = 0; i < marked.size(); ++i) {
    if (marked[i] == '|') {
      expected.emplace_back();
      if (i + 1 < marked.size() && marked[i + 1] == ' ') ++i;
      continue;
    }
    text += marked[i];
    expected.back() += marked[i];
  }
  for (std::string& sentence : expected) {
    while (sentence.ends_with(' ') || sentence.ends_with('\n')) sentence.pop_back();
  }
  CAPTURE(text);
  CHECK(Split(text) == expected);
}

TEST_CASE("English") {
  for (const std::string_view text : {
           "The dog chases the cat.",
           "One. | Two! | Three? | Four",
           "Really?! | Yes!!! | No...",
           "He said: \"Come in!\" | Then he left.",
           "\"Come in!\" he said. | \"Why?\" she asked.",
           "It works (mostly). | The rest is easy. | (So they say.) | Good.",
           "Mr. Brown met Dr. Miller and Prof. J. K. Smith in St. James. | They talked.",
           "See e.g. Table 3, i.e. No. 5 and Fig. 7. | No. | That is wrong.",
           "He said no. | She said yes.",
           "It costs $3.50 or 1.234,56 EUR. | Pi is 3.14159.",
           "At 9:30 a.m. he left. | He came back at 5 p.m. | The end.",
           "He lives in the U.S. | The U.S. President does too.",
           "Hats, gloves, etc. | All of wool.",
           "Apple Inc. was founded in 1976. | It is large.",
           "Smith et al. showed it. | They did. | So did Miller Jr. | He was late.",
           "Write to office@example.org or see https://example.com/help?page=2.html! | Thanks.",
           "Version 2.0.1 is out. | Use Node.js and report.txt now.",
           "Wait... what? | I don't know... | Maybe.",
           "well, i think so. perhaps not? | who knows",
           "I told you and I. | We left.",
           "Plan B. | It failed.",
           "It's mine, not John's. | Right?",
           "1. First point. | More of it.",
           "We read it on Jan. 5 and in vol. 3, pp. 7. | Then we stopped.",
           "The snake was 5 m. | It slept.",
           "In 1990. | Then 2000. | Then now.",
           "What? | No way! | 42 people.",
           "‘Stop!’ | “Why?” | Because.",
       }) {
    CheckSplit(text);
  }
}

TEST_CASE("German and other languages with spaces") {
  for (const std::string_view text : {
           "Das ist z. B. in der Schweiz nicht üblich. | Das ist z.B. Brot.",
           "Es gibt Äpfel, Birnen usw. | Danach gingen wir.",
           "Das heißt, d. h. Wasser, u. a. Salz, bzw. Zucker. | Ende.",
           "Herr Dr. Müller kommt am 3. Mai um 9.30 Uhr. | Frau Dr. Özil auch.",
           "Am 3. 5. 2020 war das. | Im 19. Jahrhundert nicht.",
           "Er wurde 30. | Dann ging er.",
           "„Das glaube ich nicht!“ | „Doch.“ | Er ging.",
           "»Komm!« rief er. | »Nein.« | Sie blieb. | »Schade.«",
           "Siehe Nr. 7, Abs. 3 und S. 12. | Ist das klar?",
           "« Tu es vraiment venu ! » | Il partit. | Où ?",
           "¿Dónde está? | ¡No lo sé! | ¿Y tú?",
           "Собака лает. | Кошка, т. е. зверь, спит. | И всё. и так.",
           "개가 짖는다. | 고양이가 잔다! | 네. | 끝",
           "أين المحطة؟ | لا أعرف. | شكراً.",
           "कुत्ता भौंकता है। | बिल्ली सोती है।",
       }) {
    CheckSplit(text);
  }
  CHECK(Split("Meister. Ähnlich. ähnlich. éa. Ça") ==
        Sentences{"Meister.", "Ähnlich. ähnlich. éa.", "Ça"});
}

TEST_CASE("Chinese and Japanese") {
  for (const std::string_view text : {
           "狗追猫。|猫追狗。",
           "你吃饭了吗？|我还没吃呢！|真的",
           "“你居然来了！”她说。|“为什么？”|没有人回答。",
           "他说：“走吧。”|我们就走了。",
           "「本当に来たのね！」と彼女は言った。|「はい。」|終わり。",
           "我……不知道。|你知道吗？！|知道。",
           "价格是3.14元。|版本2.0已经发布。",
           "「Hello.」と言った。",
           "ﾊｲ｡|ｲｲｴ｡",
           "今天很好。| 明天也好。",
       }) {
    CheckSplit(text);
  }
  CHECK(Split("你好吗?我很好.谢谢!再见") == Sentences{"你好吗?", "我很好.", "谢谢!", "再见"});
}

TEST_CASE("lines, paragraphs and white space") {
  CHECK(Split("").empty());
  CHECK(Split(" \t\r\n \u3000\u00A0\u2028\n").empty());
  CHECK(Split("\n\nA heading\r\n\r\n  Text one. Text two.  \n\tEnd\u2029Really") ==
        Sentences{"A heading", "Text one.", "Text two.", "End", "Really"});
  const auto ranges = SplitSentences("  Hi.  You. ");
  REQUIRE(ranges.size() == 2);
  CHECK(ranges[0].begin == 2);
  CHECK(ranges[0].end == 5);
  CHECK(ranges[1].begin == 7);
  CHECK(ranges[1].end == 11);
}

TEST_CASE("long stretches are cut: after a pause, at a space, between characters") {
  CHECK(Split("one two three four five", 10) == Sentences{"one two", "three four", "five"});
  CHECK(Split("one two, three four", 12) == Sentences{"one two,", "three four"});
  CHECK(Split("1,000,000,000", 8) == Sentences{"1,000,00", "0,000"});  // no pause in a number
  CHECK(Split("狗追猫，猫追狗", 15) == Sentences{"狗追猫，", "猫追狗"});
  CHECK(Split("狗追猫猫追狗", 7) == Sentences{"狗追", "猫猫", "追狗"});
  CHECK(Split("狗", 1) == Sentences{"狗"});
  CHECK(Split("ab", 0) == Sentences{"a", "b"});
  // An emoji of five code points, a letter with a mark.
  CHECK(Split("abcdef👩🏽‍💻", 16) == Sentences{"abcdef", "👩🏽‍💻"});
  CHECK(Split("abcde\u0301f", 5) == Sentences{"abcd", "e\u0301f"});
}

// What the splitter promises of any text.
void CheckPromises(std::string_view text, std::size_t max_bytes) {
  std::size_t position = 0;
  bool in_order = true;
  bool blank_between = true;
  bool short_enough = true;
  const auto between = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end;) {
      const Utf8Character c = DecodeUtf8(text.substr(i));
      // Everything that is not white space is in a sentence.
      blank_between = blank_between && c.valid &&
                      (c.code_point <= 0x20 || c.code_point == 0x85 || c.code_point == 0xA0 ||
                       c.code_point == 0x1680 || c.code_point == 0xFEFF ||
                       (c.code_point >= 0x2000 && c.code_point <= 0x3000));
      i += c.length;
    }
  };
  std::string joined;
  for (const auto [begin, end] : SplitSentences(text, max_bytes)) {
    in_order = in_order && position <= begin && begin < end && end <= text.size();
    if (!in_order) break;
    between(position, begin);
    short_enough = short_enough && (end - begin <= max_bytes ||
                                    end - begin == DecodeUtf8(text.substr(begin)).length);
    joined += text.substr(position, begin - position);
    joined += text.substr(begin, end - begin);
    position = end;
  }
  joined += text.substr(position);
  between(position, text.size());
  CHECK(in_order);
  CHECK(blank_between);
  CHECK(short_enough);
  CHECK(joined == text);
}

TEST_CASE("any text is its sentences and the white space between them, byte for byte") {
  const std::vector<std::string>& lines = TestLines();
  std::size_t line = 0;
  for (const std::string& text : lines) {
    CAPTURE(text);
    CheckPromises(text, kMaxSentenceBytes);
    CheckPromises(text, line++ % 40);
  }
  // Random bytes, many of them marks, quotes and spaces.
  constexpr std::string_view kParts[] = {
      ".",  ".", "!", "?",      "。", "！", "…",  " ",        "  ",   "A", "b",  "1",  "\"",
      "」", "»", "(", "\u00A0", "\n", "z",  "狗", "\xE3\x80", "\x80", ",", "、", "Dr", "'"};
  Random random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t count = random.Below(24); count > 0; --count) {
      if (random.Below(12) == 0) {
        text += static_cast<char>(random.Below(256));
      } else {
        text += random.Pick(kParts);
      }
    }
    CAPTURE(text);
    CheckPromises(text, random.Below(2) == 0 ? kMaxSentenceBytes : random.Below(12));
  }
}

// A rule that looked back over the whole line at every mark would not come to an end here.
TEST_CASE("a very long line without a rest keeps every promise") {
  for (const std::string_view part :
       {"a", ".", ". ", "! (", "狗", " ", "\x80", "A. ", "1. ", "!»"}) {
    CAPTURE(part);
    std::string text;
    while (text.size() < 300000) text += part;
    CheckPromises(text, kMaxSentenceBytes);
  }
}

TEST_CASE("sentence separator: the target language decides on the space after a full stop") {
  CHECK(SentenceSeparator("Hello.", "", "Goodbye.") == " ");
  CHECK(SentenceSeparator("你好。", "", "再见。") == "");
  CHECK(SentenceSeparator("你好。", " ", "再见。") == "");
  CHECK(SentenceSeparator("Hello.", " ", "再见。") == "");
  CHECK(SentenceSeparator("Wirklich！", " ", "Ja.") == "");
  CHECK(SentenceSeparator("Hello.", "  ", "Goodbye.") == "  ");
  CHECK(SentenceSeparator("你好。", "\n\n", "再见。") == "\n\n");
  CHECK(SentenceSeparator("", "", "Hello.") == "");
  CHECK(SentenceSeparator("Hello.", " ", "") == " ");
  CHECK(SentenceSeparator("\x80\x80", "", "\xFF") == " ");
}

}  // namespace
}  // namespace translucent::test
