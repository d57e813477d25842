"""The training loop: it learns, keeps what is best, goes on where it stopped, and gives up in words."""

import math

import pytest
import torch

from fieldguide.errors import TrainingError
from fieldguide.training import loop
from fieldguide.training.checkpoint import TrainingFolder
from fieldguide.training.loop import MOST_SKIPPED, train_network
from fieldguide.training.plan import Plan, Watch
from fieldguide.training.remaining import history_row
from small_task import IMAGES, PLAN, Task


def weights(task):
    return {name: value.clone() for name, value in task.network.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_it_learns_and_tells_of_every_epoch():
    rows, stages = [], []
    task = Task()
    trained = train_network(task, PLAN, watch=Watch(lambda *stage: stages.append(stage), rows.append))
    assert trained.history == tuple(history_row(row) for row in rows)
    assert not trained.interrupted and trained.notes == ()
    assert [row["epochs"] for row in rows] == [5] * 5 and "seconds_left" not in rows[0]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert rows[-1]["validation_accuracy"] > 0.9
    assert rows[-1]["learning_rate"] == pytest.approx(0.05 / (1 + 29 / 50))
    assert stages[-1] == ("training", 30, 30)
    assert not task.network.training


def test_every_image_is_seen_once_an_epoch_in_another_order():
    task = Task()
    train_network(task, PLAN)
    epochs = [[row for rows in task.steps[start : start + 6] for row in rows] for start in range(0, 30, 6)]
    assert all(sorted(epoch) == list(range(IMAGES)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    first, again, other = Task(), Task(), Task()
    train_network(first, PLAN)
    train_network(again, PLAN)
    train_network(other, Plan(images=IMAGES, epochs=5, batch_size=16, average=0.9, seed=1))
    assert same(weights(first), weights(again))
    assert not same(weights(first), weights(other))


class SteepTask(Task):
    """A loss that is a number, whose gradient is none at some steps: the root of nothing."""

    steep = ()

    def loss(self, network, rows, epoch, generator):
        step = len(self.steps)
        loss = super().loss(network, rows, epoch, generator)
        weight = self.network[0].weight[0, 0]
        return loss + (weight - weight.detach()).abs().sqrt() if step in self.steep else loss


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_gradient_that_is_no_number_changes_no_weight(clip):
    task, plan = SteepTask(), Plan(images=IMAGES, epochs=1, batch_size=16, clip=clip)
    task.steep = (2, 3)
    trained = train_network(task, plan)
    assert all(torch.isfinite(value).all() for value in weights(task).values())
    assert math.isfinite(trained.history[0]["train_loss"])
    task = SteepTask()
    task.steep = range(30)
    with pytest.raises(TrainingError, match="the loss is not a number, step after step"):
        train_network(task, Plan(images=IMAGES, epochs=5, batch_size=16, clip=clip))
    assert len(task.steps) == MOST_SKIPPED


def test_a_loss_that_is_infinite_is_neither_learned_from_nor_counted_though_its_gradient_is_a_number():
    class Infinite(Task):
        def loss(self, network, rows, epoch, generator):
            loss = super().loss(network, rows, epoch, generator)
            return loss + math.inf if len(self.steps) == 3 else loss

    task = Infinite()
    trained = train_network(task, Plan(images=IMAGES, epochs=1, batch_size=16))
    assert math.isfinite(trained.history[0]["train_loss"])
    assert all(torch.isfinite(value).all() for value in weights(task).values())


class KilledError(Exception):
    """Stands for kill -9: nothing is saved on its way out."""


@pytest.mark.parametrize("killed_at", [1, 6, 7, 17, 29])
def test_a_resumed_run_ends_in_the_same_weights(tmp_path, monkeypatch, killed_at):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    whole = Task()
    expected = train_network(whole, PLAN)

    class Killed(Task):
        def set_rates(self, share, at_end_of_pass):
            if round(30 * share) == killed_at:
                raise KilledError
            super().set_rates(share, at_end_of_pass)

    folder = TrainingFolder(tmp_path / "t", "run")
    with folder, pytest.raises(KilledError):
        train_network(Killed(), PLAN, folder)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 60.0)
    resumed = Task()
    with folder:
        trained = train_network(resumed, PLAN, folder)
    assert len(resumed.steps) == 30 - killed_at
    assert same(weights(whole), weights(resumed))
    assert [{**row, "seconds": 0} for row in trained.history] == [
        {**row, "seconds": 0} for row in expected.history
    ]
    assert trained.notes == (f"resumed after step {killed_at}, in epoch {killed_at // 6 + 1}",)


def test_without_a_minute_between_checkpoints_there_is_one_an_epoch(tmp_path):
    saved = []

    class Folder(TrainingFolder):
        def save(self, state):
            saved.append(state["step"])

    with Folder(tmp_path / "t", "run") as folder:
        train_network(Task(), PLAN, folder)
    assert saved == [6, 12, 18, 24, 30]


def test_what_is_best_is_kept():
    task = Task()
    task.worse = (18, 24, 30)
    trained = train_network(task, PLAN)
    assert trained.kept_epoch == 2
    short = Task(total=12)
    train_network(short, Plan(images=IMAGES, epochs=2, batch_size=16, average=0.9))
    assert same(weights(task), weights(short))


def test_or_what_is_last():
    task = Task()
    task.worse = (18, 24, 30)
    plan = Plan(images=IMAGES, epochs=5, batch_size=16, average=0.9, keep="last")
    assert train_network(task, plan).kept_epoch == 5


def test_patience_ends_it_early():
    task = Task()
    task.worse = (12, 18, 24, 30)
    trained = train_network(task, Plan(images=IMAGES, epochs=5, batch_size=16, average=0.9, patience=2))
    assert (len(trained.history), trained.kept_epoch) == (3, 1)
    assert trained.notes == ("stopped early after epoch 3: no lower validation loss for 2 epochs",)


@pytest.mark.parametrize("interrupted_at", [7, 20])
def test_ctrl_c_keeps_the_best_so_far(tmp_path, interrupted_at):
    class Interrupted(Task):
        def set_rates(self, share, at_end_of_pass):
            if round(30 * share) == interrupted_at:
                raise KeyboardInterrupt
            super().set_rates(share, at_end_of_pass)

    task = Interrupted()
    trained = train_network(task, PLAN)
    assert trained.interrupted
    assert len(trained.history) == interrupted_at // 6
    finished = Task(total=interrupted_at // 6 * 6)
    train_network(finished, Plan(images=IMAGES, epochs=interrupted_at // 6, batch_size=16, average=0.9))
    assert same(weights(task), weights(finished))


def test_ctrl_c_before_anything_is_finished_goes_on_up():
    class Interrupted(Task):
        def set_rates(self, share, at_end_of_pass):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_network(Interrupted(), PLAN)


def test_a_step_that_gives_no_number_is_left_out():
    task = Task()
    task.poison = (3, 8)
    trained = train_network(task, PLAN)
    assert all(value.isfinite().all() for value in weights(task).values())
    assert len(trained.history) == 5
    assert all(math.isfinite(row["train_loss"]) for row in trained.history)


def test_many_such_steps_end_training_with_what_was_good():
    task = Task()
    task.poison = range(14, 100)
    trained = train_network(task, PLAN)
    assert len(trained.history) == 3
    assert any("not a number" in note for note in trained.notes)
    assert all(value.isfinite().all() for value in weights(task).values())


def test_such_steps_from_the_start_are_an_error():
    task = Task()
    task.poison = range(100)
    with pytest.raises(TrainingError, match=r"the loss is not a number.*lower --learning-rate"):
        train_network(task, PLAN)
    assert len(task.steps) == MOST_SKIPPED


def test_bfloat16_learns_too():
    task = Task()
    plan = Plan(images=IMAGES, epochs=5, batch_size=16, precision="bf16-mixed", clip=1.0)
    assert train_network(task, plan).history[-1]["validation_accuracy"] > 0.9


class Paced(Task):
    """Every step takes a second of a clock that is not the wall's."""

    def __init__(self, clock, seconds=1.0, **given):
        super().__init__(**given)
        self.clock, self.seconds = clock, seconds

    def loss(self, *given):
        self.clock.now += self.seconds
        return super().loss(*given)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(loop, "time", made)
    return made


def test_passes_that_take_longer_than_there_is_time_are_fewer_and_end_with_small_rates(clock):
    task = Paced(clock)
    trained = train_network(task, PLAN, watch=Watch(seconds=19.0))
    assert len(trained.history) == 3
    assert trained.notes == ("shortened to 3 of 5 passes: they take longer than planned",)
    # The rate of the last step: 17 of 18 steps are the same share as 28 of 30 would be, nearly.
    share = 0.2 + 0.8 * 11 / 12
    assert trained.history[-1]["learning_rate"] == pytest.approx(0.05 / (1 + share * 30 / 50))


def test_passes_that_grow_longer_and_longer_are_said_to_be_fewer_once(clock):
    class Slower(Paced):
        def loss(self, *given):
            self.seconds *= 1.1
            return super().loss(*given)

    trained = train_network(Slower(clock), PLAN, watch=Watch(seconds=40.0))
    (note,) = trained.notes
    assert note == f"shortened to {len(trained.history)} of 5 passes: they take longer than planned"


def test_passes_that_cost_more_towards_the_end_are_planned_by_their_price(clock):
    class Growing(Paced):
        def price(self, at_end_of_pass):
            return 1.0 if at_end_of_pass < 0.5 else 3.0

        def set_rates(self, share, at_end_of_pass):
            self.seconds = self.price(at_end_of_pass)
            super().set_rates(share, at_end_of_pass)

    rows = []
    trained = train_network(Growing(clock), PLAN, watch=Watch(report=rows.append, seconds=50.0))
    assert [row["seconds"] for row in trained.history] == [6, 6, 18, 18]
    assert [row["epochs"] for row in rows] == [4] * 4, "known after the first pass"
    assert trained.notes == ("shortened to 4 of 5 passes: they take longer than planned",)


def test_what_is_left_of_the_time_is_told_and_not_kept(clock):
    rows = []
    trained = train_network(Paced(clock), PLAN, watch=Watch(report=rows.append, seconds=19.0))
    assert [row["epochs"] for row in rows] == [3, 3, 3]
    left = [row["seconds_left"] for row in rows]
    assert left == sorted(left, reverse=True) and 0 <= left[-1] < left[0] < 19
    assert {row["seconds_allowed"] for row in rows} == {19.0}
    assert not any({"epochs", "seconds_left", "seconds_allowed"} & set(row) for row in trained.history)


def test_with_time_enough_nothing_changes(clock):
    plain, paced = Task(), Paced(clock)
    train_network(plain, PLAN)
    trained = train_network(paced, PLAN, watch=Watch(seconds=31.0))
    assert same(weights(plain), weights(paced))
    assert trained.notes == ()


def test_the_time_may_be_over_within_the_first_pass(clock):
    trained = train_network(Paced(clock), PLAN, watch=Watch(seconds=2.5))
    assert (len(trained.history), trained.kept_epoch) == (1, 1)
    assert trained.notes == ("shortened to 1 of 5 passes: they take longer than planned",)


class BusyAtFirst(Paced):
    """The first pass takes four times as long as the others."""

    def loss(self, *given):
        self.seconds = 2.0 if len(self.steps) < 6 else 0.5
        return super().loss(*given)


def test_passes_left_out_while_the_machine_was_busy_are_taken_up_again(clock):
    rows = []
    trained = train_network(BusyAtFirst(clock, 2.0), PLAN, watch=Watch(report=rows.append, seconds=40.0))
    assert [row["epochs"] for row in rows] == [3, 5, 5, 5, 5]
    assert trained.notes == ()
    # Of the last step: 2/5 + 3/5 of a half are done after the second pass, the rest evenly in 18 steps.
    share = 0.6 + 0.4 * 17 / 18
    assert trained.history[-1]["learning_rate"] == pytest.approx(0.05 / (1 + share * 30 / 50))


def test_after_the_last_planned_pass_none_is_taken_up_again(clock):
    trained = train_network(BusyAtFirst(clock, 2.0), PLAN, watch=Watch(seconds=24.0))
    assert len(trained.history) == 2
    assert trained.notes == ("shortened to 2 of 5 passes: they take longer than planned",)


@pytest.mark.parametrize("killed_at", [9, 15])
def test_a_run_that_was_made_longer_again_and_killed_ends_in_the_same_weights(
    tmp_path, clock, monkeypatch, killed_at
):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    whole = BusyAtFirst(clock, 2.0)
    train_network(whole, PLAN, watch=Watch(seconds=40.0))

    class Killed(BusyAtFirst):
        def set_rates(self, share, at_end_of_pass):
            if len(self.steps) == killed_at:
                raise KilledError
            super().set_rates(share, at_end_of_pass)

    folder = TrainingFolder(tmp_path / "t", "run")
    with folder, pytest.raises(KilledError):
        train_network(Killed(clock, 2.0), PLAN, folder, Watch(seconds=40.0))

    class Quiet(Paced):
        """Goes on where the machine is no longer busy."""

    resumed = Quiet(clock, 0.5)
    with folder:
        trained = train_network(resumed, PLAN, folder, Watch(seconds=40.0))
    assert len(trained.history) == 5
    assert same(weights(whole), weights(resumed))


def test_a_run_that_was_shortened_and_killed_ends_in_the_same_weights(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    whole = Paced(clock)
    train_network(whole, PLAN, watch=Watch(seconds=19.0))

    class Killed(Paced):
        def set_rates(self, share, at_end_of_pass):
            if len(self.steps) == 13:
                raise KilledError
            super().set_rates(share, at_end_of_pass)

    folder = TrainingFolder(tmp_path / "t", "run")
    with folder, pytest.raises(KilledError):
        train_network(Killed(clock), PLAN, folder, Watch(seconds=19.0))
    resumed = Paced(clock)
    with folder:
        trained = train_network(resumed, PLAN, folder, Watch(seconds=19.0))
    assert len(trained.history) == 3
    assert same(weights(whole), weights(resumed))


def test_rates_are_set_for_each_step_by_what_is_done_and_by_the_end_of_its_pass():
    shares = []

    class Told(Task):
        def set_rates(self, *given):
            shares.append(given)
            super().set_rates(*given)

    train_network(Told(), PLAN)
    assert shares == [(step / 30, pytest.approx((step // 6 + 1) / 5)) for step in range(30)]


def test_no_two_choices_come_from_the_same_random_numbers(monkeypatch):
    numbers = []
    real = loop._generator
    monkeypatch.setattr(loop, "_generator", lambda *given: numbers.append(given) or real(*given))
    train_network(Task(), PLAN)
    assert len(numbers) == 30 + 5 == len(set(numbers))


@pytest.mark.parametrize(("images", "batch_size", "steps"), [(5, 16, 1), (16, 16, 1), (33, 16, 2)])
def test_a_pass_has_a_step_at_least_and_leaves_out_a_smaller_last_batch(images, batch_size, steps):
    plan = Plan(images=images, epochs=1, batch_size=batch_size)
    assert plan.steps_per_epoch == steps
    task = Task(total=steps)
    train_network(task, plan)
    assert [len(rows) for rows in task.steps] == [min(images, batch_size)] * steps


def test_an_average_of_few_steps_has_left_the_first_weights():
    """Its decay grows with the steps; otherwise a decay of 0.9999 would keep the weights of the beginning."""
    averaged, plain = Task(), Task()
    begin = averaged.network[0].weight.detach().clone()
    train_network(averaged, Plan(images=IMAGES, epochs=2, batch_size=16, average=0.9999, keep="last"))
    train_network(plain, Plan(images=IMAGES, epochs=2, batch_size=16, keep="last"))
    moved, whole = ((task.network[0].weight - begin).norm() for task in (averaged, plain))
    assert 0.1 * whole < moved < whole


def test_a_pass_may_take_a_part_of_the_images():
    task = Task(total=10)
    train_network(task, Plan(images=IMAGES, epochs=5, batch_size=16, most_steps=2))
    assert len(task.steps) == 10
    assert len({row for rows in task.steps for row in rows}) > 64
