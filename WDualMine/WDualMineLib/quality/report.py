"""Tables of measures: one row a method, mean and standard deviation over images."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

import numpy as np

from .metrics import METRICS

# Decimals in the text table: as many as the literature prints, one more for correlations.
_DECIMALS = {"CC": 4, "CC/bound": 4, "SF": 2, "AG": 2}


@dataclass(frozen=True)
class Summary:
    """Mean, sample standard deviation (0 for one image) and count of the defined values."""

    mean: float
    std: float
    count: int

    @classmethod
    def of(cls, values: list[float]) -> Summary:
        """Of the values that are not NaN; NaN mean and deviation if none is left."""
        defined = np.array([value for value in values if not np.isnan(value)])
        if len(defined) == 0:
            return cls(float("nan"), float("nan"), 0)
        std = defined.std(ddof=1) if len(defined) > 1 else 0.0
        return cls(float(defined.mean()), float(std), len(defined))


@dataclass
class Report:
    """Measures by row and image.

    Attributes:
        rows: ``{row: {image: {measure: value}}}`` in the order of the table.
        metrics: the columns.
    """

    rows: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    metrics: tuple[str, ...] = METRICS

    def add(self, row: str, image: str, measures: dict[str, float]) -> None:
        """Enter the measures of one image; every column must be there."""
        missing = set(self.metrics) - set(measures)
        if missing:
            raise ValueError(f"measures of {image} lack {sorted(missing)}")
        self.rows.setdefault(row, {})[image] = measures

    def summary(self) -> dict[str, dict[str, Summary]]:
        """``{row: {measure: Summary}}`` over the images of each row."""
        return {
            row: {
                metric: Summary.of([measures[metric] for measures in images.values()])
                for metric in self.metrics
            }
            for row, images in self.rows.items()
        }

    def as_text(self) -> str:
        """Means, and under each the standard deviation where there is more than one image."""
        table = [["", *self.metrics]]
        summary = self.summary()
        for row, columns in summary.items():
            table.append([row, *(self._number(m, columns[m].mean) for m in self.metrics)])
            if any(column.count > 1 for column in columns.values()):
                deviations = (self._number(m, columns[m].std) for m in self.metrics)
                table.append(["", *(f"±{text}" for text in deviations)])
        widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
        lines = [
            line[0].ljust(widths[0])
            + "".join(
                f"  {cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True)
            )
            for line in table
        ]
        return "\n".join(line.rstrip() for line in [*lines, *self._footnotes(summary)])

    def as_json(self) -> dict:
        """Plain data: per row the summary of every measure, and every image's own; NaN is null."""
        return {
            row: {
                "summary": {
                    metric: {
                        "mean": _plain(value.mean),
                        "std": _plain(value.std),
                        "count": value.count,
                    }
                    for metric, value in columns.items()
                },
                "images": {
                    image: {metric: _plain(measures[metric]) for metric in self.metrics}
                    for image, measures in self.rows[row].items()
                },
            }
            for row, columns in self.summary().items()
        }

    def as_csv(self) -> str:
        """One line for each row and image, for a spreadsheet; undefined values are empty."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["row", "image", *self.metrics])
        for row, images in self.rows.items():
            for image, measures in images.items():
                values = (_plain(measures[metric]) for metric in self.metrics)
                writer.writerow([row, image, *("" if v is None else f"{v:.6g}" for v in values)])
        return stream.getvalue()

    def _number(self, metric: str, value: float) -> str:
        return "-" if np.isnan(value) else f"{value:.{_DECIMALS.get(metric, 3)}f}"

    def _footnotes(self, summary: dict[str, dict[str, Summary]]) -> list[str]:
        """Which means leave images out because the measure is undefined for them."""
        notes = []
        for row, columns in summary.items():
            count = len(self.rows[row])
            left_out = {m: count - c.count for m, c in columns.items() if c.count < count}
            if left_out:
                listed = ", ".join(f"{metric} {number}" for metric, number in left_out.items())
                notes.append(f"{row}: undefined, and left out of the mean, of {count}: {listed}.")
        return notes


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
