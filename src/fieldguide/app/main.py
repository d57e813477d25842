"""The app's frame: the pages and, in the sidebar, the model they use."""

import sys
from pathlib import Path

import streamlit as st

from fieldguide.app import classify, data, label_next, models, offers, results, session_state, teach, train
from fieldguide.installation import remember_program

LEAF = Path(__file__).with_name("icon.svg")

PAGES = (classify, data, train, results, models, label_next, teach)
"""The pages, in the order of the sidebar: each has ``TITLE``, ``ICON``, ``PLACE`` and ``show()``."""


def main() -> None:
    """Draw the page that was asked for."""
    remember_program(sys.argv[2:])  # by which name `fieldguide app` was called
    st.set_page_config(page_title="fieldguide", page_icon=str(LEAF), layout="wide")
    pages = [
        st.Page(page.show, title=page.TITLE, icon=page.ICON, url_path=page.PLACE, default=number == 0)
        for number, page in enumerate(PAGES)
    ]
    chosen = st.navigation(pages)
    session_state.choose_model()
    with st.sidebar:
        offers.show()
    chosen.run()


main()
