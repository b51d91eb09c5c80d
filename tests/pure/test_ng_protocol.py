"""The little of rtpengine's control protocol that the bench speaks: bencode of texts, and its answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.whole.rtpengine import decode, encode

pytestmark = pytest.mark.pure


def test_a_question_is_written_with_its_keys_in_order() -> None:
    assert encode({"command": "ping", "a": "é"}) == "d1:a2:é7:command4:pinge".encode()


def test_what_is_no_text_in_an_answer_is_passed_over() -> None:
    data = b"d7:createdi42e4:listl1:ai-1ee6:result2:ok6:streamd1:xi1eee"
    assert decode(data) == {"result": "ok"}


def test_what_is_no_dictionary_is_told() -> None:
    with pytest.raises(RuntimeError, match="no dictionary"):
        decode(b"i1e")


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_written_is_read(told: dict[str, str]) -> None:
    assert decode(encode(told)) == told
