// Rows that a layer reads piece by piece, so that they need not all exist at once. Thread-safe to read.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "worker/nn/operations.h"

namespace tradewind::nn {

// This rank's own rows, numbered from 0.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual std::int64_t columns() const = 0;
  // Copies the rows of these numbers, (n) int64, to out (n, columns), float32 contiguous.
  virtual void rows(const at::Tensor& which, at::Tensor out) const = 0;
  // The same for consecutive rows.
  virtual void range(std::int64_t begin, std::int64_t end, at::Tensor out) const;
};

// Rows of a float32 contiguous tensor.
class TensorRows : public RowSource {
 public:
  // Refers to the operations.
  TensorRows(at::Tensor own, const Operations& operations) : own_(std::move(own)), operations_(operations) {}
  std::int64_t columns() const override { return own_.size(1); }
  void rows(const at::Tensor& which, at::Tensor out) const override;
  void range(std::int64_t begin, std::int64_t end, at::Tensor out) const override;

 private:
  at::Tensor own_;
  const Operations& operations_;
};

}  // namespace tradewind::nn
