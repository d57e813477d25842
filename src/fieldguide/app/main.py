"""The app's frame: the pages and, in the sidebar, the model they use."""

from pathlib import Path

import streamlit as st

from fieldguide.app import classify, data, models, results, room, teach, train

LEAF = Path(__file__).with_name("icon.svg")

PAGES = (classify, data, train, results, models, teach)
"""The pages, in the order of the sidebar: each has ``TITLE``, ``ICON``, ``PLACE`` and ``show()``."""


def main() -> None:
    """Draw the page that was asked for."""
    st.set_page_config(page_title="fieldguide", page_icon=str(LEAF), layout="wide")
    pages = [
        st.Page(page.show, title=page.TITLE, icon=page.ICON, url_path=page.PLACE, default=number == 0)
        for number, page in enumerate(PAGES)
    ]
    chosen = st.navigation(pages)
    room.choose_model()
    chosen.run()


main()
