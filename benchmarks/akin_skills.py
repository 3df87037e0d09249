"""Make the list of skills that are akin to each other, by what MiniLM takes their names to mean.

pip install -r requirements-bench.txt
.venv/bin/python -m benchmarks.akin_skills --data ../shared/data/matching --out ai_matching/data/akin_skills.tsv
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from benchmarks import minilm

# As recruitment/cv/skills.py reads it, which needs the whole of Django.
FILE = Path(__file__).parent.parent / "recruitment" / "cv" / "data" / "skills.tsv"
# Judged by hand on pairs of the dictionary.
AKIN = 0.60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/matching"))
    asked = parser.parse_args()
    lines = FILE.read_text(encoding="utf-8").splitlines()
    with (asked.data / "esco/languageSkillsCollection_en.csv").open(encoding="utf-8") as file:
        # No language is half another one.
        languages = {name.strip() for row in csv.DictReader(file) for name in row["broaderConceptPT"].split("|")}
    names = sorted({line.split("\t")[0] for line in lines if line and not line.startswith("#")} - languages)
    vectors = minilm.embed(names)
    likeness = np.triu(vectors @ vectors.T, 1)
    pairs = [
        f"{names[one]}\t{names[other]}\t{likeness[one, other]:.2f}" for one, other in np.argwhere(likeness >= AKIN)
    ]
    asked.out.write_text("\n".join(pairs) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
