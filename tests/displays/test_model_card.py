import fieldguide
from shown_html import text_of


def test_a_model_shows_its_card(trained, colours):
    model = trained.model
    assert repr(model).startswith("the model that is held in memory: 3 classes\n  classes: blue, green, red")
    shown = text_of(model._repr_html_())
    assert "efficientnet_lite0 (apache-2.0)" in shown and "this model can never say unknown" in shown
    assert "colours.onnx: 3 classes" in text_of(fieldguide.load(colours)._repr_html_())
