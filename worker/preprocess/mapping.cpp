#include "worker/preprocess/mapping.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "common/errors.h"

namespace tradewind::preprocess {
namespace {

using checkpoint::Mapping;
using checkpoint::RemappedColumn;

// The comparison is false for NaN, which is refused as well.
void require(const at::Tensor& condition, const RemappedColumn& column, const char* what) {
  if (condition.all().item<bool>()) return;
  throw UserError("input column " + std::to_string(column.input.value_or(-1)) + " has values that are " + what +
                      " or missing, for which the checkpoint's remapping is not defined",
                  "input", "correct the field, or use a checkpoint whose remapper clips negative values");
}

void keep_positive(const RemappedColumn& column, at::Tensor& x) {
  if (column.clip_negative) {
    x.clamp_min_(0);
  } else if (!column.unchecked) {
    require(x.ge(0), column, "negative");
  }
}

// Where x > 1 the tangent of the power at 1, or its inverse.
template <class Power, class Tangent>
void with_tangent(const RemappedColumn& column, at::Tensor& x, Power power, Tangent tangent) {
  if (!column.tangent_above_one) {
    power(x);
    return;
  }
  at::Tensor line = x.clone();
  tangent(line);
  power(x);
  x.copy_(at::where(x.gt(1), line, x));
}

}  // namespace

void map_forward(const RemappedColumn& column, at::Tensor x) {
  const double p = column.parameter;
  switch (column.mapping) {
    case Mapping::affine:
      x.mul_(p).add_(column.shift);
      return;
    case Mapping::atoms:
      if (column.lower_atom) x.masked_fill_(x.le(*column.lower_atom + column.epsilon), *column.lower_target);
      if (column.upper_atom) x.masked_fill_(x.ge(*column.upper_atom - column.epsilon), *column.upper_target);
      return;
    case Mapping::box_cox:
      if (p == 0) {
        if (!column.unchecked) require(x.gt(0), column, "not positive");
        x.log_();
        return;
      }
      keep_positive(column, x);
      x.pow_(p).sub_(1).div_(p);
      return;
    case Mapping::power:
      keep_positive(column, x);
      with_tangent(
          column, x, [&](at::Tensor& y) { y.pow_(p); }, [&](at::Tensor& y) { y.mul_(p).add_(1 - p); });
      return;
    case Mapping::square_root:
      x.sqrt_();
      return;
    case Mapping::atanh:
      if (p != 0) x.mul_(2).sub_(1).mul_(std::tanh(p)).atanh_().div_(p);
      return;
    case Mapping::asinh:
      x.mul_(p).asinh_();
      return;
    case Mapping::log1p:
      x.log1p_();
      return;
  }
  throw InternalFault("a remapping without a function");
}

void map_back(const RemappedColumn& column, at::Tensor x) {
  const double p = column.parameter;
  switch (column.mapping) {
    case Mapping::affine:
      x.sub_(column.shift).div_(p);
      return;
    case Mapping::atoms:
      if (column.lower_atom) x.clamp_min_(*column.lower_atom);
      if (column.upper_atom) x.clamp_max_(*column.upper_atom);
      return;
    case Mapping::box_cox:
      if (p == 0) {
        x.exp_();
        return;
      }
      x.mul_(p).add_(1);
      if (!column.unchecked) x.clamp_min_(0);
      x.pow_(1 / p);
      return;
    case Mapping::power:
      with_tangent(
          column, x, [&](at::Tensor& y) { y.clamp_min_(0).pow_(1 / p); },
          [&](at::Tensor& y) { y.sub_(1 - p).div_(p); });
      return;
    case Mapping::square_root:
      x.square_();
      return;
    case Mapping::atanh:
      if (p != 0) x.mul_(p).tanh_().div_(std::tanh(p)).add_(1).mul_(0.5);
      x.clamp_(0, 1);
      return;
    case Mapping::asinh:
      x.sinh_().div_(p);
      return;
    case Mapping::log1p:
      x.expm1_();
      return;
  }
  throw InternalFault("a remapping without a function");
}

}  // namespace tradewind::preprocess
