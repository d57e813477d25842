import fieldguide
from shown_html import text_of


def test_counts_and_what_stays_together(data):
    dealt = fieldguide.split(data, test=0.25)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(dealt.counts.items()))
    assert repr(dealt).startswith(f"{counts}\n3 photos stay together")
    assert "1 could not be used" in text_of(dealt._repr_html_())
