"""Stand-ins for frames, made as their libraries make them, for where these are not installed."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any


class Column(list):  # type: ignore[type-arg]
    """A column of pandas or polars."""

    def tolist(self) -> list[Any]:
        return list(self)

    to_list = tolist


class _Table:
    def __init__(self, columns: Mapping[str, list[Any]]) -> None:
        self.columns = list(columns)
        self._columns = {name: Column(values) for name, values in columns.items()}

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), []))


class Image:
    """The feature of images."""

    def __init__(self, decode: bool = True) -> None:
        self.decode = decode


class ClassLabel:
    """The feature of numbered classes."""

    def __init__(self, names: list[str]) -> None:
        self.names = names


class _Dataset(_Table):
    def __init__(self, columns: Mapping[str, list[Any]], features: Mapping[str, Any] | None = None) -> None:
        super().__init__(columns)
        self.column_names, self.features = self.columns, dict(features or {})

    def with_format(self, kind: object) -> "_Dataset":
        assert kind is None
        return self

    def cast_column(self, name: str, feature: Any) -> "_Dataset":
        cast = copy.copy(self)
        cast.features = {**self.features, name: feature}
        return cast

    def __iter__(self) -> Iterator[dict[str, Any]]:
        decoded = [name for name, feature in self.features.items() if getattr(feature, "decode", False)]
        assert not decoded, "images were decoded"
        for number in range(len(self)):
            yield {name: self._columns[name][number] for name in self.columns}


def _class(name: str, module: str, base: type) -> Any:
    return type(name, (base,), {"__module__": module})


PandasFrame = _class("DataFrame", "pandas.core.frame", _Table)
PolarsFrame = _class("DataFrame", "polars.dataframe.frame", _Table)
LazyFrame = _class("LazyFrame", "polars.lazyframe.frame", _Table)
HuggingFaceDataset = _class("Dataset", "datasets.arrow_dataset", _Dataset)
DatasetDict = _class("DatasetDict", "datasets.dataset_dict", dict)
