"""Weights in seven bits, as the kernels multiply them: for export.py, and for train.py to get used to."""

import torch

LEVELS = 63  # of an int8 weight, on either side of 0


def quantise(weight):
    """[out, in] float -> int8 in -63..63 and a float32 scale per row [out]: of several ranges, the
    largest values cut off by some, the one with the least squared error."""
    largest = weight.abs().amax(dim=1)
    largest[largest == 0] = LEVELS  # a row of zeros, such as <pad>
    best_error = torch.full_like(largest, torch.inf)
    best_scale = largest / LEVELS
    for cut in (1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7):
        scale = largest * cut / LEVELS
        error = (to_levels(weight, scale) * scale[:, None] - weight).square().sum(dim=1)
        best_scale = torch.where(error < best_error, scale, best_scale)
        best_error = torch.minimum(error, best_error)
    return to_levels(weight, best_scale).to(torch.int8), best_scale


def to_levels(weight, scale):
    return torch.round(weight / scale[:, None]).clamp(-LEVELS, LEVELS)


class Rehearsal:
    """Within it the matrices of `parameters` are what they will be in int8; after it they are themselves again. Gradients
    are taken where the int8 model stands and applied to the weights behind it (Bengio et al. 2013, "straight through")."""

    REFRESH = 50  # steps between two searches for the best scales

    def __init__(self, parameters):
        self.matrices = [p for p in parameters if p.dim() == 2]
        self.scales, self.step = [], 0

    @torch.no_grad()
    def __enter__(self):
        if self.step % self.REFRESH == 0:
            self.scales = [quantise(p.detach())[1] for p in self.matrices]
        self.step += 1
        self.kept = [p.detach().clone() for p in self.matrices]
        for p, scale in zip(self.matrices, self.scales):
            p.copy_(to_levels(p, scale) * scale[:, None])

    @torch.no_grad()
    def __exit__(self, *_):
        for p, kept in zip(self.matrices, self.kept):
            p.copy_(kept)
