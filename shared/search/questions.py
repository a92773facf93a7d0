"""Whether a search is typed as a question. Then it is offered to search by meaning, which finds answers."""

from __future__ import annotations

import re

from shared.search.index.analysis import clean, is_spaceless
from shared.search.index.folding import fold

_MARKS = ("?", "？", "؟")
#: Words of a question at least: "comment" is a word of English, too, and "Who" is a band.
_LEAST = 3

#: Words with which a question begins, by language.
_WORDS = {
    "ar": "ما ماذا متى أين كيف لماذا لم من هل كم أي",
    "de": "was wer wem wen wessen wie wo woher wohin womit wozu wodurch wofür wann warum wieso weshalb "
    "welche welcher welches",
    "en": "what what's who who's whom whose when where why how which",
    "es": "qué quién quiénes cómo cuándo dónde cuál cuáles cuánto cuánta cuántos",
    "fr": "que qui quoi quand où comment pourquoi combien quel quelle quels quelles qu'est-ce est-ce",
    "it": "che chi cosa quando dove come perché quale quali quanto quanti cos'è",
    "ko": "왜 어떻게 무엇 무엇을 무엇이 뭐 언제 어디 어디서 어디에 누가 누구 어떤 어느 몇",
    "nl": "wat wie waar wanneer waarom hoe welke welk waarmee waardoor",
    "pl": "co kto kogo komu gdzie kiedy dlaczego czemu jak jaki jaka jakie czy ile skąd dokąd",
    "pt": "que quem como quando onde qual quais quanto quantos porque porquê",
    "ru": "что кто кого кому где когда почему зачем как какой какая какие какое сколько откуда куда чем",
    "tr": "ne neden niçin niye nasıl nerede nereden nereye kim kimin hangi kaç",
}
#: Words of questions in scripts without spaces. They also end a question.
_SPACELESS = {
    "ja": "なぜ どうして どうやって どのように どう 何 なに なん いつ どこ 誰 だれ どれ どの どんな いくら "
    "ですか ますか のか",
    "th": "ทำไม เพราะอะไร อย่างไร ยังไง อะไร ใคร ที่ไหน เมื่อไหร่ เมื่อไร เท่าไหร่ เท่าไร ไหม หรือไม่ หรือเปล่า",
    "zh": "为什么 为何 怎么 怎样 如何 什么 何时 谁 哪 哪里 哪儿 多少 几 是否 吗 呢",
}


def _folded(words: dict[str, str]) -> frozenset[str]:
    return frozenset(fold(word).strip() for each in words.values() for word in each.split())


#: "ou" is French for "or", and only "où" is a question.
_BEGINNINGS = _folded(_WORDS) - {"ou"}
_PARTS = tuple(_folded(_SPACELESS))
_FIRST = re.compile(r"[^\w]*([\w'’-]+)")


def is_question(q: str) -> bool:
    """Whether it ends with a question mark, or begins with a question word of a language in the list."""
    text = clean(q).rstrip(" \"'”’»)")
    if text.endswith(_MARKS):
        return len(text) > 1
    folded = fold(text).strip()
    if is_spaceless(text):
        ends = folded.endswith(_PARTS) and len(folded) > _LEAST
        return ends or (folded.startswith(_PARTS) and folded not in _PARTS)
    first = _FIRST.match(text)
    if first is None or len(text.split()) < _LEAST:
        return False
    begins = fold(first[1]).strip() in _BEGINNINGS or folded.lstrip("¿ ").startswith("por que ")
    return begins or first[1].lower() == "où"
