"""Teaching a language model what people mean: sentences made from the table of aspects, and a low-rank adapter learned on them.

`python -m luxgrad.training.dialogue --out FOLDER` trains (a stopped training goes on), `--held-out FILE` judges.
"""
