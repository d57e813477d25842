"""Answers of a model of tags: as chips, as sentences, and as boxes to tick where they are wrong."""

from collections.abc import Callable, Iterable, Sequence

import streamlit as st

from fieldguide.app import widgets
from fieldguide.app.texts import html_text, percent, plain, short
from fieldguide.prediction.predictor import Predictor
from fieldguide.prediction.result import Prediction

MOST_CHIPS = 24
"""Tags to tick; of more, those given and the likeliest stand there, and a list has all."""
MOST_BARS = 30
"""Tags with a bar each."""
NONE = "No tags"

_STYLE = """<style>
.fg-tags {display: flex; flex-wrap: wrap; gap: .45rem; margin: .2rem 0 .1rem}
.fg-tags span {border-radius: 1rem; padding: .22rem .7rem; font-size: 1.05rem; line-height: 1.35;
  overflow-wrap: anywhere; border: 1.5px solid #1d6b4f}
.fg-tags .given {background: #1d6b4f; color: #fff; font-weight: 600}
.fg-tags .may {border-style: dashed; border-color: rgba(128, 128, 128, .9)}
.fg-tags small {font-weight: 400; margin-left: .35rem; font-size: .85rem; font-variant-numeric: tabular-nums}
.fg-tags .muted {background: none; color: inherit; border-color: rgba(128, 128, 128, .9); font-weight: 400}
</style>"""


def chips(answer: Prediction, classes: Sequence[str]) -> None:
    """The tags given, filled, and the others of the set, dashed; each with its probability."""
    if answer.unknown:
        widgets.verdict(answer)
    given = answer.labels or ()
    others = [name for name in answer.set if name not in given]
    if not given and not answer.unknown:
        st.html(
            f'{widgets.STYLE}<div class="fg-verdict" role="status">{NONE} '
            "<small>none is probable enough</small></div>"
        )
    cells = [(name, "given muted" if answer.unknown else "given") for name in given]
    cells += [(name, "may muted" if answer.unknown else "may") for name in others]
    shares = probabilities(answer, classes)
    words = "".join(
        f'<span class="{kind}">{html_text(name)}<small>{percent(shares[name])}</small></span>'
        for name, kind in cells[:MOST_BARS]
    )
    role = "" if answer.unknown or not given else ' role="status"'
    if words:
        st.html(f'{_STYLE}<div class="fg-tags"{role}>{words}</div>')


def doubt(model: Predictor, answer: Prediction) -> str:
    """What the promises of the model say of this photo, in words."""
    coverage = model.thresholds["coverage"]
    rest = [name for name in answer.set if name not in (answer.labels or ())]
    sentences = []
    if answer.unknown:
        sentences.append(
            "It looks less like the photos that the model learned from than 99 in 100 of their kind do. "
            "If it had to have some of the tags, these would be the likeliest."
        )
    elif not answer.set:
        sentences.append("No tag is likely enough to be counted in.")
    elif rest:
        sentences.append("Dashed tags are possible, too.")
    if coverage and answer.set and not answer.unknown:
        which = "All of these together" if rest else "These"
        sentences.append(
            f"{which} hold at least {percent(coverage)} of a photo's true tags, on average over photos."
        )
    return " ".join(sentences)


def all_bars(answer: Prediction, classes: Sequence[str]) -> None:
    """The probabilities of all tags, the likeliest first; those not given are grey."""
    shares = sorted(probabilities(answer, classes).items(), key=lambda pair: -pair[1])
    with st.expander("All tags" if len(shares) <= MOST_BARS else f"The {MOST_BARS} likeliest tags"):
        marked = frozenset() if answer.unknown else frozenset(answer.labels or ())
        widgets.bars(shares[:MOST_BARS], marked=marked)


def probabilities(answer: Prediction, classes: Sequence[str]) -> dict[str, float]:
    """Each tag with its probability."""
    assert answer.probabilities is not None, "it was read"
    return dict(zip(classes, answer.probabilities.tolist(), strict=True))


def likeliest(answer: Prediction, classes: Sequence[str]) -> list[str]:
    """All tags, those given first, then by probability."""
    given, shares = answer.labels or (), probabilities(answer, classes)
    return sorted(classes, key=lambda name: (name not in given, -shares[name]))


def ticked(
    classes: Sequence[str],
    given: Iterable[str],
    likely: Sequence[str],
    key: str,
    save: Callable[[list[str]], None],
    words: str,
) -> None:
    """Tags to tick, and a button that keeps what is ticked.

    Parameters
    ----------
    classes
        All tags of the model.
    given
        Ticked at first.
    likely
        Tags in the order of their chips.
    key
        Names the photo on its page.
    save
        Called with the ticked tags, none included.
    words
        On the button.
    """
    first = list(given)
    offered = list(likely[: max(MOST_CHIPS, len(first))])
    if len(classes) <= MOST_CHIPS:
        offered = list(classes)
    st.pills(
        "Tags", offered, selection_mode="multi", default=[name for name in offered if name in first],
        format_func=lambda name: plain(name, 40), key=f"ticked-{key}", label_visibility="collapsed",
        wrap=True,
    )  # fmt: skip
    st.multiselect(
        "Other tags", [name for name in classes if name not in offered], key=f"more-tags-{key}",
        format_func=short, accept_new_options=True, placeholder="Other tags, or new names",
        label_visibility="collapsed",
    )  # fmt: skip
    st.button(words, key=f"save-tags-{key}", on_click=_save, args=(key, save), type="primary")


def _save(key: str, save: Callable[[list[str]], None]) -> None:
    """Keep what is ticked now: a click may come before the page was drawn with the tick before it."""
    save([*st.session_state[f"ticked-{key}"], *st.session_state[f"more-tags-{key}"]])


def shown(tags: Sequence[str]) -> str:
    """Tags in a sentence that is read as Markdown."""
    return ", ".join(f"**{plain(name)}**" for name in tags) or "**none of the tags**"
