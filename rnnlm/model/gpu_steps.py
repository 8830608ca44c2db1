"""The elementwise part of a time step on a GPU: one Triton kernel forward, one backward, per cell.

A step of the scan is a product and some fifteen elementwise operations. Launched one by one, they
take longer than the product; here each step launches one kernel for all of them.

Every kernel works on a flat range of B · H units. Its arguments hold one time step. A `factor` is a
copy rounded to the type in which the next product is done; ROUNDED says whether there is one.
Formulas are those of `rnnlm/model/scan.py`.

Shapes: B batch, H hidden; `product`, `gates`, `activated` and `dgates` are (B, G) with G = H
numbers of each gate, all others (B, H) unless said otherwise.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

# Units per program. Small, so that a batch of 32 × 256 units spreads over 32 processors.
UNITS = 256


def grid(states_BH: Tensor) -> tuple[int]:
    """Return the number of programs for one time step."""
    return (triton.cdiv(states_BH.numel(), UNITS),)


@triton.jit
def _sigmoid(x):
    return 1 / (1 + tl.exp(-x))


@triton.jit
def _tanh(x):
    return 2 / (1 + tl.exp(-2 * x)) - 1


@triton.jit
def rnn_forward(  # noqa: PLR0913 (all that a step reads and writes)
    product,
    gates,
    h,
    h_factor,
    count,
    RELU: tl.constexpr,
    ROUNDED: tl.constexpr,
    UNITS: tl.constexpr,
):
    """Write h = f(product + gates)."""
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < count
    total = tl.load(product + unit, inside) + tl.load(gates + unit, inside)
    out = tl.maximum(total, 0.0) if RELU else _tanh(total)
    tl.store(h + unit, out, inside)
    if ROUNDED:
        tl.store(h_factor + unit, out.to(h_factor.dtype.element_ty), inside)


@triton.jit
def rnn_backward(  # noqa: PLR0913 (all that a step reads and writes)
    product,
    from_above,
    h,
    dgates,
    dgates_factor,
    count,
    LAST: tl.constexpr,
    RELU: tl.constexpr,
    ROUNDED: tl.constexpr,
    UNITS: tl.constexpr,
):
    """Write the gradient of the gates.

    product: the gradient of h that comes from the next step; the last step has none.
    """
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < count
    dh = tl.load(from_above + unit, inside)
    if not LAST:
        dh += tl.load(product + unit, inside)
    out = tl.load(h + unit, inside)
    grad = tl.where(out > 0, dh, 0.0) if RELU else dh * (1 - out * out)
    tl.store(dgates + unit, grad, inside)
    if ROUNDED:
        tl.store(dgates_factor + unit, grad.to(dgates_factor.dtype.element_ty), inside)


@triton.jit
def lstm_forward(  # noqa: PLR0913 (all that a step reads and writes)
    product,
    gates,
    c_before,
    activated,
    c,
    tanh_c,
    h,
    h_factor,
    count,
    H: tl.constexpr,
    ROUNDED: tl.constexpr,
    UNITS: tl.constexpr,
):
    """Write the activated gates i, f, g, o, the cell state, its tanh, and h."""
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < count
    gate = (unit // H) * (4 * H) + unit % H
    i = _sigmoid(tl.load(product + gate, inside) + tl.load(gates + gate, inside))
    f = _sigmoid(tl.load(product + gate + H, inside) + tl.load(gates + gate + H, inside))
    g = _tanh(tl.load(product + gate + 2 * H, inside) + tl.load(gates + gate + 2 * H, inside))
    o = _sigmoid(tl.load(product + gate + 3 * H, inside) + tl.load(gates + gate + 3 * H, inside))
    new_c = f * tl.load(c_before + unit, inside) + i * g
    squashed = _tanh(new_c)
    out = o * squashed
    tl.store(activated + gate, i, inside)
    tl.store(activated + gate + H, f, inside)
    tl.store(activated + gate + 2 * H, g, inside)
    tl.store(activated + gate + 3 * H, o, inside)
    tl.store(c + unit, new_c, inside)
    tl.store(tanh_c + unit, squashed, inside)
    tl.store(h + unit, out, inside)
    if ROUNDED:
        tl.store(h_factor + unit, out.to(h_factor.dtype.element_ty), inside)


@triton.jit
def lstm_backward(  # noqa: PLR0913 (all that a step reads and writes)
    product,
    from_above,
    activated,
    c_before,
    tanh_c,
    dc,
    dgates,
    dgates_factor,
    count,
    H: tl.constexpr,
    LAST: tl.constexpr,
    ROUNDED: tl.constexpr,
    UNITS: tl.constexpr,
):
    """Write the gradient of the gates, and turn dc into the gradient of the state before.

    product: the gradient of h that comes from the next step; the last step has none.
    """
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < count
    gate = (unit // H) * (4 * H) + unit % H
    dh = tl.load(from_above + unit, inside)
    if not LAST:
        dh += tl.load(product + unit, inside)
    i = tl.load(activated + gate, inside)
    f = tl.load(activated + gate + H, inside)
    g = tl.load(activated + gate + 2 * H, inside)
    o = tl.load(activated + gate + 3 * H, inside)
    squashed = tl.load(tanh_c + unit, inside)
    total = tl.load(dc + unit, inside) + dh * o * (1 - squashed * squashed)
    di = total * g * i * (1 - i)
    df = total * tl.load(c_before + unit, inside) * f * (1 - f)
    dg = total * i * (1 - g * g)
    do = dh * squashed * o * (1 - o)
    tl.store(dc + unit, total * f, inside)
    tl.store(dgates + gate, di, inside)
    tl.store(dgates + gate + H, df, inside)
    tl.store(dgates + gate + 2 * H, dg, inside)
    tl.store(dgates + gate + 3 * H, do, inside)
    if ROUNDED:
        kind = dgates_factor.dtype.element_ty
        tl.store(dgates_factor + gate, di.to(kind), inside)
        tl.store(dgates_factor + gate + H, df.to(kind), inside)
        tl.store(dgates_factor + gate + 2 * H, dg.to(kind), inside)
        tl.store(dgates_factor + gate + 3 * H, do.to(kind), inside)


@triton.jit
def gru_forward(  # noqa: PLR0913 (all that a step reads and writes)
    product,
    gates,
    bias_n,
    h_before,
    activated,
    recurrent_n,
    h,
    h_factor,
    count,
    H: tl.constexpr,
    ROUNDED: tl.constexpr,
    UNITS: tl.constexpr,
):
    """Write the activated gates r, z, n, the recurrent part of n, and h.

    bias_n: (H,), the bias of the recurrent part of n.
    """
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < count
    gate = (unit // H) * (3 * H) + unit % H
    r = _sigmoid(tl.load(product + gate, inside) + tl.load(gates + gate, inside))
    z = _sigmoid(tl.load(product + gate + H, inside) + tl.load(gates + gate + H, inside))
    recurrent = tl.load(product + gate + 2 * H, inside) + tl.load(bias_n + unit % H, inside)
    n = _tanh(tl.load(gates + gate + 2 * H, inside) + r * recurrent)
    out = n + z * (tl.load(h_before + unit, inside) - n)
    tl.store(activated + gate, r, inside)
    tl.store(activated + gate + H, z, inside)
    tl.store(activated + gate + 2 * H, n, inside)
    tl.store(recurrent_n + unit, recurrent, inside)
    tl.store(h + unit, out, inside)
    if ROUNDED:
        tl.store(h_factor + unit, out.to(h_factor.dtype.element_ty), inside)


@triton.jit
def gru_backward(  # noqa: PLR0913 (all that a step reads and writes)
    product,
    from_above,
    activated,
    recurrent_n,
    h_before,
    through_z,
    dgates,
    drecurrent_factor,
    count,
    H: tl.constexpr,
    LAST: tl.constexpr,
    UNITS: tl.constexpr,
):
    """Write the gradients of the gates' input part and of the product; they differ in n, by r.

    product: the gradient of h that comes from the next step; the last step has none.
    through_z: the gradient that comes from the next step through z, zero at the last step; it
    becomes that of the step before.
    """
    unit = tl.program_id(0) * UNITS + tl.arange(0, UNITS)
    inside = unit < count
    gate = (unit // H) * (3 * H) + unit % H
    dh = tl.load(from_above + unit, inside) + tl.load(through_z + unit, inside)
    if not LAST:
        dh += tl.load(product + unit, inside)
    r = tl.load(activated + gate, inside)
    z = tl.load(activated + gate + H, inside)
    n = tl.load(activated + gate + 2 * H, inside)
    dn = dh * (1 - z) * (1 - n * n)
    dz = dh * (tl.load(h_before + unit, inside) - n) * z * (1 - z)
    dr = dn * tl.load(recurrent_n + unit, inside) * r * (1 - r)
    tl.store(through_z + unit, dh * z, inside)
    tl.store(dgates + gate, dr, inside)
    tl.store(dgates + gate + H, dz, inside)
    tl.store(dgates + gate + 2 * H, dn, inside)
    kind = drecurrent_factor.dtype.element_ty
    tl.store(drecurrent_factor + gate, dr.to(kind), inside)
    tl.store(drecurrent_factor + gate + H, dz.to(kind), inside)
    tl.store(drecurrent_factor + gate + 2 * H, (dn * r).to(kind), inside)
