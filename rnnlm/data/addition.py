"""Sums with carry, `12+345=357`: a task that a cell either learns or does not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from rnnlm.data.batching import Batching
from rnnlm.data.separate_documents import SeparateDocuments, SeparateDocumentsConfig
from rnnlm.data.texts.source import SAMPLE, File, SourceError
from rnnlm.options import OptionError, option


@dataclass
class AdditionConfig(SeparateDocumentsConfig):
    """Options of `data=addition`; `seed` also says which sums are drawn."""

    # Operands have from `min_digits` to `max_digits` digits, each length equally often.
    min_digits: int = option(1, minimum=1, maximum=18)
    max_digits: int = option(3, minimum=1, maximum=18)
    # Write the answer with its last digit first, the order in which digits are carried.
    reverse: bool = False
    num_sums: int = option(20_000, minimum=10, maximum=10_000_000)
    min_count: int = option(1, minimum=1)
    batching: Batching = Batching.documents
    batch_size: int = option(128, minimum=1)


class Addition(SeparateDocuments):
    """Different sums; none that is held out is trained on."""

    Config = AdditionConfig
    config: AdditionConfig
    answer_mark = "="
    near_copies_together = False  # 12+345 and 13+345 are two tasks; `parse` leaves out b+a

    def files(self) -> list[File]:
        """Return no files: the sums are generated."""
        if self.config.source != SAMPLE:
            raise SourceError("data=addition is generated, it takes sample")
        return []

    def parse(self, files: Sequence[File]) -> list[str]:
        """Return `num_sums` different sums, or half of all that there are, if that is less.

        At most one of a+b and b+a is among them, so training shows no held-out sum in either order.
        """
        config = self.config
        if config.min_digits > config.max_digits:
            raise OptionError(
                "data.min_digits", f"{config.min_digits} is more than data.max_digits"
            )
        numbers = 10**config.max_digits - _smallest(config.min_digits)
        wanted = min(config.num_sums, numbers * (numbers + 1) // 4)
        draw = random.Random(config.seed)
        sums: dict[tuple[int, int], None] = {}
        while len(sums) < wanted:
            a, b = self._operand(draw), self._operand(draw)
            if (b, a) not in sums:
                sums[a, b] = None
        self.notes = [f"{len(sums):,} different sums"]
        return [self.written(a, b) for a, b in sums]

    def parse_file(self, file: File) -> list[str]:
        """Return each line of the file as a sum."""
        return [line for line in self.decode(file).split("\n") if line]

    def task_properties(self, task: str) -> dict[str, int]:
        """Return the number of digits of the larger operand, and how often one is carried."""
        a, b = map(int, task.partition(self.answer_mark)[0].split("+"))
        return {"digits": len(str(max(a, b))), "carries": _carries(a, b)}

    @property
    def alphabet(self) -> str:
        """Ten digits and two signs."""
        return "0123456789+="

    def _operand(self, draw: random.Random) -> int:
        digits = draw.randint(self.config.min_digits, self.config.max_digits)
        return draw.randrange(_smallest(digits), 10**digits)

    def written(self, a: int, b: int) -> str:
        answer = str(a + b)
        return f"{a}+{b}{self.answer_mark}{answer[::-1] if self.config.reverse else answer}"


def _carries(a: int, b: int) -> int:
    """Return how often one is carried in a + b; each carry lowers the sum of digits by nine."""
    digits_a, digits_b, digits_sum = (sum(map(int, str(number))) for number in (a, b, a + b))
    return (digits_a + digits_b - digits_sum) // 9


def _smallest(digits: int) -> int:
    """Return the smallest number with this many digits; 0 has one."""
    return 10 ** (digits - 1) if digits > 1 else 0
