"""Matrix products: on a CPU by the faster of PyTorch's two engines, on a GPU by cuBLAS.

PyTorch multiplies float32 matrices with MKL, which is slow on some x86 processors. oneDNN was at
least as fast on all processors that were measured (`experiments/speed/`). It gains most where one
matrix is used many times, since its memory is laid out only once.

Under autocast the factors are rounded to its type. On a GPU the sums are float32; on a CPU they are
float32 within a product, whose result is rounded.

Shapes: N rows, I inputs, O outputs; `…` is any shape.
"""

from __future__ import annotations

import platform
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

_X86 = platform.machine() in ("x86_64", "AMD64")
_ONEDNN = _X86 and torch.backends.mkldnn.is_available()
# PyTorch has no public names for oneDNN's operators, which `torch.compile` uses for constant
# weights, nor for what a processor can do.
_mkldnn: Any = torch.ops.mkldnn
_onednn_linear: Any = _mkldnn._linear_pointwise.default if _ONEDNN else None  # noqa: SLF001
_pack: Any = _mkldnn._reorder_linear_weight if _ONEDNN else None  # noqa: SLF001


def has_fast_bfloat16(device: torch.device) -> bool:
    """Tell whether the device has units that multiply bfloat16 faster than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return (
        device.type == "cpu"
        and _ONEDNN
        and (
            torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001
            or torch.cpu._is_amx_tile_supported()  # noqa: SLF001
        )
    )


def multiplied_dtype(tensor: Tensor) -> torch.dtype:
    """Return the type to which factors of products are rounded: autocast's, or the tensor's."""
    device = tensor.device.type
    if tensor.dtype != torch.float64 and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return tensor.dtype


def multiply(x_NI: Tensor, weight_IO: Tensor) -> Tensor:
    """Return x W for two factors of one type; on a GPU in float32, if they are 16 bits wide."""
    if x_NI.is_cuda and x_NI.dtype in (torch.bfloat16, torch.float16):
        return torch.mm(x_NI, weight_IO, out_dtype=torch.float32)
    return x_NI @ weight_IO


# Up to this many multiplications MKL is faster: it adds to the product in the same pass.
_FEW_MULTIPLICATIONS = 2**22
# oneDNN first lays out W in memory. This is done once for all products if W's entries times uses
# are at least _WORTH_PACKING, and its entries at most _MOST_PACKED. Otherwise oneDNN does it in
# every product, which pays if x has at least _MANY_ROWS rows.
_WORTH_PACKING = 2**22
_MOST_PACKED = 2**24
_MANY_ROWS = 512


class Product:
    """The map x ↦ x Wᵀ for one W and several x, without a gradient.

    Args:
        rows: number of rows of an x.
        uses: number of products with this W.
        dtype: type to which the factors are rounded. Results have the type of W.
    """

    def __init__(self, weight_OI: Tensor, rows: int, uses: int, dtype: torch.dtype) -> None:
        self._dtype, self._result_dtype = dtype, weight_OI.dtype
        self._weight_OI = weight_OI.to(dtype)
        entries = weight_OI.numel()
        packed = uses * entries >= _WORTH_PACKING and entries <= _MOST_PACKED
        self._onednn = weight_OI.is_cpu and (
            (dtype == torch.bfloat16 and has_fast_bfloat16(weight_OI.device))
            or (
                dtype == torch.float32
                and _ONEDNN
                and rows * entries > _FEW_MULTIPLICATIONS
                and (packed or rows >= _MANY_ROWS)
            )
        )
        if self._onednn and packed:
            self._weight_OI = _pack(self._weight_OI, rows)

    def __call__(self, x_NI: Tensor) -> Tensor:
        """Return the product x Wᵀ in new memory."""
        result_NO: Tensor = self._product(x_NI).to(self._result_dtype)
        return result_NO

    def plus(self, x_NI: Tensor, addend_NO: Tensor, out: Tensor | None = None) -> Tensor:
        """Return the sum x Wᵀ + addend in new memory or in `out`."""
        if self._onednn or x_NI.dtype != self._dtype:
            return torch.add(addend_NO, self._product(x_NI), out=out)
        return torch.addmm(addend_NO, x_NI, self._weight_OI.t(), out=out)

    def _product(self, x_NI: Tensor) -> Any:
        factor_NI = x_NI.to(self._dtype)
        if self._onednn:
            return _onednn_linear(factor_NI, self._weight_OI, None, "none", [], "")
        return multiply(factor_NI, self._weight_OI.t())


def weight_gradient(y_NO: Tensor, x_NI: Tensor, dtype: torch.dtype) -> Tensor:
    """Return yᵀ x, (O, I): the gradient of W in x Wᵀ, if y is the gradient of that product."""
    return multiply(y_NO.to(dtype).t(), x_NI.to(dtype)).to(x_NI.dtype)


def add_weight_gradient(
    sum_OI: Tensor, y_NO: Tensor, x_NI: Tensor, dtype: torch.dtype, first: bool
) -> Tensor:
    """Add yᵀ x to a sum in place; if it is the first term, overwrite the sum."""
    if dtype == sum_OI.dtype:
        return sum_OI.addmm_(y_NO.t(), x_NI, beta=0 if first else 1)
    product_OI = multiply(y_NO.to(dtype).t(), x_NI.to(dtype))
    return sum_OI.copy_(product_OI) if first else sum_OI.add_(product_OI)


class _Linear(Function):
    @staticmethod
    def forward(ctx: Any, x_NI: Tensor, weight_OI: Tensor) -> Tensor:
        ctx.dtype = multiplied_dtype(x_NI)
        ctx.save_for_backward(x_NI, weight_OI)
        return Product(weight_OI, len(x_NI), 1, ctx.dtype)(x_NI)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy_NO: Tensor) -> tuple[Tensor, Tensor]:
        x_NI, weight_OI = ctx.saved_tensors
        factor_NO = dy_NO.to(ctx.dtype)
        dx_NI = Product(weight_OI.t(), len(dy_NO), 1, ctx.dtype)(factor_NO)
        return dx_NI, weight_gradient(factor_NO, x_NI, ctx.dtype)


def linear(x: Tensor, weight_OI: Tensor) -> Tensor:
    """Return x Wᵀ for x (…, I) like `torch.nn.functional.linear`, in the type of x."""
    y_NO: Tensor = _Linear.apply(x.flatten(0, -2), weight_OI)
    return y_NO.view(*x.shape[:-1], -1)


class RowwiseLinear:
    """The map x ↦ x Wᵀ + b for one W and few rows at a time, in evaluation.

    With oneDNN's kernel the result of a row has the same bits whatever the other rows are. MKL's
    kernel does not do that, and is no faster on one row (tests/model/test_product.py).
    """

    _ROWS = 32  # number of rows for which the layout is chosen

    def __init__(self, weight_OI: Tensor, bias_O: Tensor) -> None:
        self._weight_OI, self._bias_O = weight_OI.detach().contiguous(), bias_O.detach()
        self._onednn = _ONEDNN and weight_OI.is_cpu and weight_OI.dtype == torch.float32
        if self._onednn:
            self._weight_OI = _pack(self._weight_OI, self._ROWS)

    def __call__(self, x_NI: Tensor) -> Tensor:
        """Return the results, (N, O), of rows (N, I)."""
        if not self._onednn:
            return torch.nn.functional.linear(x_NI, self._weight_OI, self._bias_O)
        result_NO: Tensor = _onednn_linear(x_NI, self._weight_OI, self._bias_O, "none", [], "")
        return result_NO
