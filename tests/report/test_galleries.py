"""Photos to look at: which are chosen, in which order."""

from report_made import blocks, sections


def test_mistakes_come_surest_first_and_hits_least_sure_first(measured):
    made = sections(measured)
    wrong = blocks(made["mistakes"], "gallery")[0].shots
    right = blocks(made["hits"], "gallery")[0].shots
    sure = [int(shot.lines[0].split("\xa0%")[0]) for shot in wrong]
    doubtful = [int(shot.title.split(", ")[1].split("\xa0%")[0]) for shot in right]
    assert sure == sorted(sure, reverse=True) and len(sure) == min(24, int((~measured.right).sum()))
    assert doubtful == sorted(doubtful) and len(doubtful) == 12
    assert all(shot.image and " → " in shot.title for shot in wrong)
