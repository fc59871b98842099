"""Teaching a language model what people mean, and what of findings matters: a low-rank adapter learned on made-up lessons.

`python -m luxgrad.training.dialogue --out FOLDER` trains (a stopped training goes on), `--held-out FILE` judges.
"""
