"""Something small to train."""

import math

import torch
from torch import nn

from fieldguide.training.plan import Plan
from fieldguide.training.share import WHOLE

IMAGES = 96


class Task:
    """Two clouds of points, a small network with dropout and batch norm, noise as augmentation."""

    measure = "accuracy"

    def __init__(self, rate=0.05, total=30, dropout=0.2):
        torch.manual_seed(1)
        self.labels = torch.arange(IMAGES) % 2
        self.points = torch.randn(IMAGES, 4) + 2 * self.labels[:, None]
        self.network = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 2)
        )
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=rate, momentum=0.9)
        self.total = total
        self.rate, self.steps, self.poison, self.worse = rate, [], (), ()
        self.share = WHOLE

    def loss(self, network, rows, epoch, generator):
        step, own = len(self.steps), self.share.rows(len(rows))
        self.steps.append(rows[own].tolist())
        points = self.points[rows] + 0.1 * torch.randn(len(rows), 4, generator=generator)
        loss = nn.functional.cross_entropy(network(points[own]), self.labels[rows][own])
        loss = self.share.scaled(loss, len(self.steps[-1]), len(rows))
        return loss * math.nan if step in self.poison else loss

    def price(self, at_end_of_pass):
        return 1.0

    def set_rates(self, share, at_end_of_pass):
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate / (1 + share * self.total / 50)

    def validate(self, network):
        with torch.no_grad():
            logits = network(self.points)
            loss = float(nn.functional.cross_entropy(logits, self.labels))
        accuracy = float((logits.argmax(1) == self.labels).float().mean())
        return (loss + 10 if len(self.steps) in self.worse else loss), accuracy


PLAN = Plan(images=IMAGES, epochs=5, batch_size=16, average=0.9)
