"""Generated pairs: who does what to whom and numbers (Chinese with English), and odd inputs.

svo: both orders of every pair of nouns are written with the same verb and pattern, so
that word order alone decides who does what to whom. Dog and cat with 追 (chase) are
left out in every pattern: the pair is the project's running example and is kept
unseen, so that what the model does with it is a test and not a memory.

svo-cover: what chance left thin in svo, in full: every animal and person chasing every
other in the plain present, and dog and cat with every other verb in every pattern.

numbers: digits stay what they are, whatever they count. The vocabulary splits numbers
into digits and everyday text has few, so that copying them has to be shown.

greetings: what a visitor tries first, greetings and cities, in every spelling.

names: Chinese names and their pinyin, which everyday text spells too rarely to be learnt from it.

odd: what visitors type and corpora lack: names, numbers, addresses, emoji and marks alone, other
scripts (passed through); and made from everyday pairs: text already in the target language
(passed through), capitals, no capitals, questions without a mark, other numbers.
"""

import itertools
import random
import re

ANIMALS = {
    "狗": "dog", "猫": "cat", "老鼠": "mouse", "鸟": "bird", "马": "horse", "牛": "cow",
    "羊": "sheep", "猪": "pig", "老虎": "tiger", "狮子": "lion", "熊": "bear",
    "兔子": "rabbit", "狼": "wolf", "狐狸": "fox", "猴子": "monkey", "鸡": "chicken",
    "鸭子": "duck", "蛇": "snake", "大象": "elephant",
}
PEOPLE = {
    "男孩": "boy", "女孩": "girl", "男人": "man", "女人": "woman", "孩子": "child",
    "老师": "teacher", "学生": "student", "医生": "doctor", "警察": "policeman",
    "小偷": "thief", "农民": "farmer", "司机": "driver",
}
NAMES = {"汤姆": "Tom", "玛丽": "Mary"}
PRONOUNS = {"他": ("he", "him"), "她": ("she", "her"), "我": ("I", "me"), "我们": ("we", "us")}

# Chinese: (base, third person, past, participle, -ing form or None for verbs of state).
VERBS = {
    "追": ("chase", "chases", "chased", "chased", "chasing"),
    "咬": ("bite", "bites", "bit", "bitten", "biting"),
    "打": ("hit", "hits", "hit", "hit", "hitting"),
    "踢": ("kick", "kicks", "kicked", "kicked", "kicking"),
    "跟着": ("follow", "follows", "followed", "followed", "following"),
    "帮助": ("help", "helps", "helped", "helped", "helping"),
    "救": ("save", "saves", "saved", "saved", "saving"),
    "推": ("push", "pushes", "pushed", "pushed", "pushing"),
    "看着": ("watch", "watches", "watched", "watched", "watching"),
    "找": ("look for", "looks for", "looked for", "looked for", "looking for"),
    "看见": ("see", "sees", "saw", "seen", None),
    "爱": ("love", "loves", "loved", "loved", None),
    "喜欢": ("like", "likes", "liked", "liked", None),
    "恨": ("hate", "hates", "hated", "hated", None),
    "认识": ("know", "knows", "knew", "known", None),
    "害怕": ("fear", "fears", "feared", "feared", None),
}


def _subject(noun):
    if noun in PRONOUNS:
        return PRONOUNS[noun][0]
    return NAMES.get(noun) or "the " + (ANIMALS.get(noun) or PEOPLE[noun])


def _object(noun):
    if noun in PRONOUNS:
        return PRONOUNS[noun][1]
    return _subject(noun)


def _pattern(kind, s, v, o):
    """One sentence without its final mark as (Chinese, English), or None where the
    pattern does not fit the verb."""
    base, third, past, participle, ing = VERBS[v]
    plain = s in ("我", "我们")  # takes the verb's base form
    be = {"我": "am", "我们": "are"}.get(s, "is")
    subject, obj = _subject(s), _object(o)
    if kind == "present":
        return s + v + o, f"{subject} {base if plain else third} {obj}"
    if kind == "negative":
        return f"{s}不{v}{o}", " ".join((subject, "don't" if plain else "doesn't", base, obj))
    if kind == "question":
        return f"{s}{v}{o}吗", f"{'do' if plain else 'does'} {subject} {base} {obj}"
    if ing is None:
        if kind == "past" and v == "看见":
            return f"{s}{v}了{o}", f"{subject} {past} {obj}"
        return None
    if kind == "progressive":
        return f"{s}在{v}{o}", f"{subject} {be} {ing} {obj}"
    if kind == "progressive2":
        return f"{s}正在{v}{o}", f"{subject} {be} {ing} {obj}"
    if kind == "want":
        return f"{s}想{v}{o}", f"{subject} {'want' if plain else 'wants'} to {base} {obj}"
    if v in ("跟着", "看着"):
        return None
    if kind == "past":
        return f"{s}{v}了{o}", f"{subject} {past} {obj}"
    if kind == "passive" and v not in ("找", "帮助") and o not in PRONOUNS:
        return f"{o}被{s}{v}了", f"{obj} was {participle} by {_object(s)}"
    return None


# Kind of sentence and how often it is drawn.
KINDS = {"present": 6, "progressive": 3, "progressive2": 1, "past": 3, "negative": 1,
         "question": 1, "want": 1, "passive": 1}


def held_out(chinese):
    """True for any sentence in which dog, cat and chase meet."""
    return "狗" in chinese and "猫" in chinese and "追" in chinese


def _finished(kind, pair, stop):
    """The pair with its capital letter and, where `stop` or a question wants it, its final mark."""
    chinese, english = pair
    english = english[0].upper() + english[1:]
    if kind == "question":
        return chinese + "？", english + "?"
    return (chinese + "。", english + ".") if stop else (chinese, english)


def svo_pairs(count, seed):
    """About `count` distinct (Chinese, English) sentences, in both orders of each pair."""
    rng = random.Random(seed)
    things = [*ANIMALS, *ANIMALS, *PEOPLE, *NAMES, *PRONOUNS]  # animals twice as often
    kinds = list(itertools.chain.from_iterable([k] * n for k, n in KINDS.items()))
    seen = {}
    for _ in range(count * 20):
        if len(seen) >= count:
            break
        a, b = rng.sample(things, 2)
        if a == b or "我" in a and "我" in b:
            continue
        verb, kind = rng.choice(list(VERBS)), rng.choice(kinds)
        stop = rng.random() < 0.7  # final mark on both sides or on neither
        for s, o in ((a, b), (b, a)):
            pair = _pattern(kind, s, verb, o)
            if pair is None or held_out(pair[0]):
                continue
            chinese, english = _finished(kind, pair, stop)
            seen[chinese] = english
    return list(seen.items())


def svo_cover_pairs(count, seed):
    """At most `count` (Chinese, English) sentences, both orders of a pair together."""
    rng = random.Random(seed)
    nouns = [*ANIMALS, *PEOPLE]
    wanted = [("present", a, "追", b) for a, b in itertools.combinations(nouns, 2)]
    wanted += [(kind, "狗", verb, "猫") for kind in KINDS for verb in VERBS]
    rng.shuffle(wanted)
    seen = {}
    for kind, a, verb, b in wanted:
        for s, o in ((a, b), (b, a)):
            pair = _pattern(kind, s, verb, o)
            if pair is None or held_out(pair[0]) or len(seen) >= count:
                continue
            for stop in (True, False):
                chinese, english = _finished(kind, pair, stop)
                seen[chinese] = english
    return list(seen.items())


# Measure word with noun, and the English plural.
COUNTED = {"本书": "books", "个苹果": "apples", "只猫": "cats", "条狗": "dogs", "个孩子": "children",
           "个人": "people", "个学生": "students", "辆车": "cars", "张票": "tickets", "块钱": "yuan",
           "美元": "dollars", "个小时": "hours", "分钟": "minutes", "天": "days", "年": "years",
           "公里": "kilometers", "公斤": "kilograms", "个问题": "questions"}
HOLDERS = {"我": "I have", "你": "You have", "他": "He has", "她": "She has", "我们": "We have",
           "他们": "They have", "汤姆": "Tom has", "玛丽": "Mary has"}
AGED = {"我": "I am", "你": "You are", "他": "He is", "她": "She is", "汤姆": "Tom is", "玛丽": "Mary is",
        "我爸爸": "My father is", "我妈妈": "My mother is", "这座房子": "This house is"}
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")


def number_pairs(count, seed):
    """About `count` distinct (Chinese, English) pairs in which digits are copied."""
    rng = random.Random(seed)
    seen = {}
    for _ in range(count * 20):
        if len(seen) >= count:
            break
        number = rng.randint(2, rng.choice((9, 99, 99, 999, 9999)))
        year, month, day = rng.randint(1000, 2050), rng.randint(1, 12), rng.randint(1, 28)
        noun, holder, aged = (rng.choice(list(table)) for table in (COUNTED, HOLDERS, AGED))
        born = rng.choice(("我", "他", "她", "汤姆"))
        chinese, english = rng.choices((
            (str(number), str(number)),
            (f"{year}年", str(year)),
            (f"{number}{noun}", f"{number} {COUNTED[noun]}"),
            (f"{holder}有{number}{noun}。", f"{HOLDERS[holder]} {number} {COUNTED[noun]}."),
            (f"{aged}{number}岁。", f"{AGED[aged]} {number} years old."),
            (f"{born}出生于{year}年。", f"{'I was' if born == '我' else _subject(born).capitalize() + ' was'} "
                                     f"born in {year}."),
            (f"{year}年{month}月{day}日", f"{MONTHS[month - 1]} {day}, {year}"),
            (f"今天是{month}月{day}日。", f"Today is {MONTHS[month - 1]} {day}."),
            (f"现在{month}点{day + 10}分。", f"It is {month}:{day + 10}."),
        ), weights=(2, 1, 3, 6, 2, 2, 1, 1, 1))[0]
        seen[chinese] = english
    return list(seen.items())


NAMES_OF_USERS = ("anna", "info", "max.mustermann", "li.wei", "j_smith", "office", "maria", "support", "tom", "zhang")
HOSTS = ("example.com", "mail.example.org", "example.net", "test.de", "my-site.io", "example.co.uk")
EMOJI = "😀 😂 😍 👍 🙏 🎉 ❤️ 🐶 🐱 ☀️ 🍕 🚀 😢 🤔 🔥 ✅".split()
GIVEN_NAMES = ("Angela Anna Ben Carla Clara David Elena Emma Erik Felix Greta Hannah Ivan James Jan Julia Karl Laura Lena Leo "
               "Lisa Luca Maria Marta Max Mia Nina Oliver Paul Peter Sarah Simon Sofia Thomas Tina Victor").split()
FAMILY_NAMES = ("Adams Bauer Becker Brown Clark Davis Fischer Garcia Green Hall Hansen Huber Jansen Johnson Kaiser Keller King "
                "Klein Kowalski Lang Lee Lopez Meyer Miller Moore Müller Novak Parker Rossi Schmidt Schneider Schulz Silva "
                "Smith Taylor Wagner Walker Weber White Wilson Wolf Wright Young").split()
# Letters of scripts that none of the languages is written in, or only the other one.
SCRIPTS = {
    "zh": "你好世界中国人大小山水天地日月今明早上晚安谢您请问去来吃喝看书学生老师朋友家车站海",
    "ja": "こんにちはありがとうさようならおはようすみませんわたしはテレビカメラ",
    "ko": "안녕하세요감사합니다미안해오늘내일사랑한국어",
    "ru": "приветспасибодобрыйденьмирдомвремялюбовьгород",
    "el": "γειασουευχαριστώκαλημέρακόσμοςσπίτι",
    "ar": "مرحباشكراصباحالخيربيتسلام",
    "he": "שלוםתודהבוקרטובבית",
    "hi": "नमस्तेधन्यवादघर",
}
GREETINGS = [dict(zip(("en", "de", "zh"), line.split(" | "))) for line in """\
Hello | Hallo | 你好
Hello | Hallo | 您好
Hi | Hallo | 嗨
Good morning | Guten Morgen | 早上好
Good afternoon | Guten Tag | 下午好
Good evening | Guten Abend | 晚上好
Good night | Gute Nacht | 晚安
Goodbye | Auf Wiedersehen | 再见
Bye | Tschüss | 拜拜
See you later | Bis später | 待会儿见
See you tomorrow | Bis morgen | 明天见
Thank you | Danke | 谢谢
Thank you very much | Vielen Dank | 非常感谢
You're welcome | Gern geschehen | 不客气
Please | Bitte | 请
Sorry | Entschuldigung | 对不起
Excuse me | Entschuldigung | 打扰一下
Yes | Ja | 是
No | Nein | 不
OK | OK | 好的
Welcome | Willkommen | 欢迎
Congratulations | Herzlichen Glückwunsch | 恭喜
Happy birthday | Alles Gute zum Geburtstag | 生日快乐
Happy New Year | Frohes neues Jahr | 新年快乐
Merry Christmas | Frohe Weihnachten | 圣诞快乐
Good luck | Viel Glück | 祝你好运
How are you? | Wie geht es dir? | 你好吗？
I love you | Ich liebe dich | 我爱你
What time is it? | Wie spät ist es? | 现在几点了？
Where are you? | Wo bist du? | 你在哪里？
Help | Hilfe | 救命
Hello, world | Hallo, Welt | 你好，世界
Beijing | Peking | 北京
Shanghai | Schanghai | 上海
China | China | 中国
Germany | Deutschland | 德国
England | England | 英国
Berlin | Berlin | 柏林
Munich | München | 慕尼黑
Cologne | Köln | 科隆
Hamburg | Hamburg | 汉堡
Vienna | Wien | 维也纳
London | London | 伦敦
Paris | Paris | 巴黎
New York | New York | 纽约
Tokyo | Tokio | 东京""".splitlines()]
FINAL_MARKS = {"zh": "。！？", "en": ".!?", "de": ".!?"}


CHINESE_FAMILIES = dict(zip("王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗", (
    "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Lin Guo He Gao Luo").split(), strict=True))
CHINESE_GIVEN = dict(zip("明伟芳娜静丽强磊军洋勇艳杰涛超霞平刚华红玲梅云建国文志小春海", (
    "ming wei fang na jing li qiang lei jun yang yong yan jie tao chao xia ping gang hua hong ling mei yun jian guo "
    "wen zhi xiao chun hai").split(), strict=True))
CITIES = {"北京": "Beijing", "上海": "Shanghai", "广州": "Guangzhou", "深圳": "Shenzhen", "南京": "Nanjing",
          "武汉": "Wuhan", "西安": "Xi'an", "成都": "Chengdu", "杭州": "Hangzhou", "重庆": "Chongqing",
          "天津": "Tianjin", "香港": "Hong Kong", "伦敦": "London", "巴黎": "Paris", "柏林": "Berlin",
          "东京": "Tokyo", "纽约": "New York"}
NAME_PATTERNS = (
    ("{name}", "{name}"), ("我叫{name}。", "My name is {name}."), ("我是{name}。", "I am {name}."),
    ("他叫{name}。", "His name is {name}."), ("她的名字是{name}。", "Her name is {name}."),
    ("{name}是我的朋友。", "{name} is my friend."), ("{name}在哪里？", "Where is {name}?"),
    ("你认识{name}吗？", "Do you know {name}?"), ("{name}是谁？", "Who is {name}?"),
    ("{name}喜欢看书。", "{name} likes reading."), ("{name}住在{city}。", "{name} lives in {city}."),
    ("{name}来自{city}。", "{name} comes from {city}."), ("我明天去{city}。", "I am going to {city} tomorrow."),
    ("{city}是一个大城市。", "{city} is a big city."), ("{family}先生在家吗？", "Is Mr. {family} at home?"),
    ("{family}老师很忙。", "Teacher {family} is very busy."), ("{family}医生来自{city}。", "Dr. {family} comes from {city}."))


def name_pairs(count, seed):
    """At most `count` (Chinese, English) pairs with a name or a city."""
    rng = random.Random(seed)
    made = set()
    for _ in range(count):
        family, (city, city_name) = rng.choice(list(CHINESE_FAMILIES)), rng.choice(list(CITIES.items()))
        given = rng.sample(list(CHINESE_GIVEN), rng.randint(1, 2))
        pinyin = f"{CHINESE_FAMILIES[family]} {''.join(CHINESE_GIVEN[one] for one in given).capitalize()}"
        chinese, english = rng.choice(NAME_PATTERNS)
        made.add((chinese.format(name=family + "".join(given), family=family, city=city),
                  english.format(name=pinyin, family=CHINESE_FAMILIES[family], city=city_name)))
    return sorted(made)


def _has_case(text):
    """Whether capitals can be told from small letters: in Chinese they would teach to shout at random."""
    return text.upper() != text.lower() and not any("一" <= letter <= "鿿" for letter in text)


def greeting_pairs(count, config, _):
    """At most `count` (source, target) pairs: each with a mark and without, in capitals and in lower case."""
    source, target = config["source"], config["target"]
    made = set()
    for line in GREETINGS:
        for mark in (None, 0, 1):
            pair = line[source], line[target]
            if mark is not None:
                if pair[0][-1] in "?？":
                    continue
                pair = pair[0] + FINAL_MARKS[source][mark], pair[1] + FINAL_MARKS[target][mark]
            made |= {pair, (pair[0].lower(), pair[1])}
            if _has_case(pair[0]):
                made.add((pair[0].upper(), pair[1].upper()))
    return sorted(made)[:count]


def _copied(rng):
    """An email address, a web address, a number, a name, emoji or a mark: to be copied."""
    kind = rng.randrange(9)
    if kind == 0:
        user = rng.choice(NAMES_OF_USERS) if rng.random() < 0.5 else rng.choice(GIVEN_NAMES).lower()
        return f"{user}{rng.choice(('', '', str(rng.randint(1, 99))))}@{rng.choice(HOSTS)}"
    if kind == 1:
        return f"{rng.choice(('https://', 'http://', 'www.'))}{rng.choice(HOSTS)}{rng.choice(('', '/', '/about', '/index.html'))}"
    if kind == 2:
        return str(rng.randint(0, 10 ** rng.randint(1, 6)))
    if kind == 3:
        return str(rng.randint(0, 99))
    if kind == 4:
        return f"+{rng.randint(1, 99)} {rng.randint(100, 999)} {rng.randint(1000, 999999)}"
    if kind == 5:
        return f"{rng.choice(GIVEN_NAMES)} {rng.choice(FAMILY_NAMES)}"
    if kind == 6:
        return rng.choice(EMOJI)
    if kind == 7:
        return rng.choice((".", "!", "?", "...", ",", "-", "?!", "!!!", "–", ":)"))
    return "".join(rng.sample(EMOJI, rng.randint(1, 3)))


def _foreign(rng, languages):
    """A few letters of a script that none of the two languages is written in."""
    letters = SCRIPTS[rng.choice([script for script in SCRIPTS if script not in languages])]
    words = ["".join(rng.choices(letters, k=rng.randint(1, 4))) for _ in range(rng.randint(1, 3))]
    return rng.choice((" ", "", ", ")).join(words) + rng.choice(("", "", "!", "."))


def _numbered(pairs):
    """(source, target, number) of the pairs in which one and the same number, above one, is the only one."""
    found = []
    for source, target in pairs:
        numbers = re.findall(r"\d+", source)
        if len(numbers) == 1 and numbers == re.findall(r"\d+", target) and int(numbers[0]) > 1:
            found.append((source, target, numbers[0]))
    return found


def odd_pairs(count, config, pairs):
    """About `count` (source, target) pairs, some made of sentences from `pairs`."""
    rng = random.Random(config["seed"])
    languages = config["source"], config["target"]
    numbered = _numbered(pairs)
    made = set()
    for _ in range(count):
        source, target = rng.choice(pairs)
        kind = rng.choices(("pass", "upper", "lower", "unmarked", "copy", "inside", "emoji", "number", "foreign"),
                           (3, 4, 3, 2, 4, 2, 1, 4, 2))[0]
        if kind == "pass":
            made.add((target, target))
        elif kind == "upper" and _has_case(source):
            made.add((source.upper(), target.upper()))
        elif kind == "lower":
            made.add((source.lower().rstrip(".。"), target.rstrip(".。")))
        elif kind == "unmarked" and source[-1] in "?？":
            made.add((source[:-1], target))
        elif kind == "copy":
            text = _copied(rng)
            made.add((text, text))
        elif kind == "inside" and source[-1] in ".。" and target[-1] in ".。":
            text = _copied(rng)
            made.add((f"{source[:-1]}: {text}", f"{target[:-1]}: {text}"))
        elif kind == "emoji":
            emoji = rng.choice(EMOJI)
            made.add((f"{source} {emoji}", f"{target} {emoji}"))
        elif kind == "number" and numbered:
            source, target, number = rng.choice(numbered)
            other = str(rng.randint(max(2, 10 ** (len(number) - 1)), 10 ** len(number) - 1))
            made.add((source.replace(number, other), target.replace(number, other)))
        elif kind == "foreign":
            text = _foreign(rng, languages)
            made.add((text, text))
    return sorted(made)


def _chinese(generate):
    """A generator of (Chinese, English) as one of (source, target)."""
    def pairs(count, config, _):
        made = generate(count, config["seed"])
        return made if config["source"] == "zh" else [(english, chinese) for chinese, english in made]
    return pairs


# Tag in a configuration -> what generates it from a count, the configuration and everyday pairs.
GENERATORS = {"svo": _chinese(svo_pairs), "svo-cover": _chinese(svo_cover_pairs), "numbers": _chinese(number_pairs),
              "names": _chinese(name_pairs), "greetings": greeting_pairs, "odd": odd_pairs}
