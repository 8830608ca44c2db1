"""rnnlm/model/product.py: the same products, by whichever engine."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from rnnlm.model.product import (
    _ONEDNN,
    Product,
    RowwiseLinear,
    add_weight_gradient,
    linear,
    multiplied_dtype,
    weight_gradient,
)

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 2e-2}
sizes = st.integers(1, 40)


@settings(deadline=None)
@given(sizes, sizes, sizes, st.sampled_from([1, 20]), st.booleans(), st.sampled_from([*TOLERANCE]))
def test_a_product_is_that_of_torch(
    rows: int, inputs: int, outputs: int, uses: int, transposed: bool, dtype: torch.dtype
) -> None:
    type_of_x = torch.float64 if dtype == torch.float64 else torch.float32
    x = torch.randn(rows, inputs, dtype=type_of_x)
    weight = torch.randn(outputs, inputs, dtype=type_of_x)
    if transposed:
        weight = weight.t().contiguous().t()
    ours = Product(weight, rows, uses, dtype)(x)
    assert ours.dtype == type_of_x
    expected = x.double() @ weight.double().t()
    tolerance = TOLERANCE[dtype] * inputs**0.5
    torch.testing.assert_close(ours.double(), expected, atol=3 * tolerance, rtol=tolerance)


def test_one_product_serves_batches_of_any_size() -> None:
    weight = torch.randn(24, 16)
    product = Product(weight, 32, 20, torch.float32)
    for rows in (1, 32, 50):
        x = torch.randn(rows, 16)
        torch.testing.assert_close(product(x), x @ weight.t())


@settings(deadline=None)
@given(st.integers(1, 70), st.integers(1, 600), st.integers(1, 600), st.booleans())
def test_a_rows_product_is_the_same_whatever_rows_stand_beside_it(
    rows: int, inputs: int, outputs: int, double: bool
) -> None:
    x = torch.randn(rows, inputs, dtype=torch.float64 if double else torch.float32)
    weight, bias = torch.randn(outputs, inputs, dtype=x.dtype), torch.randn(outputs, dtype=x.dtype)
    product = RowwiseLinear(weight, bias)
    together = product(x)
    expected = torch.nn.functional.linear(x.double(), weight.double(), bias.double())
    torch.testing.assert_close(together.double(), expected, atol=1e-3, rtol=1e-3)
    if _ONEDNN and not double:
        for row in {0, rows // 2, rows - 1}:
            assert torch.equal(product(x[row : row + 1])[0], together[row])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_of_columns_add_up(dtype: torch.dtype) -> None:
    y, x, total = torch.randn(30, 5), torch.randn(30, 7), torch.randn(5, 7)
    expected = total + weight_gradient(y, x, dtype)
    added = add_weight_gradient(total, y, x, dtype, first=False)
    torch.testing.assert_close(added, expected)
    total.fill_(torch.nan)
    put = add_weight_gradient(total, y, x, dtype, first=True)
    torch.testing.assert_close(put, weight_gradient(y, x, dtype))
    torch.testing.assert_close(weight_gradient(y, x, dtype), y.t() @ x, atol=0.2, rtol=0.02)


def test_linear_has_the_gradients_of_finite_differences() -> None:
    x = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(linear, (x, weight))
    torch.testing.assert_close(linear(x, weight), x @ weight.t())


def test_autocast_decides_what_is_multiplied_but_in_float64() -> None:
    single, double = torch.zeros(1), torch.zeros(1, dtype=torch.float64)
    assert multiplied_dtype(single) == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert multiplied_dtype(single) == torch.bfloat16
        assert multiplied_dtype(double) == torch.float64
