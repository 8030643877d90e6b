// Rows that a layer reads piece by piece, so that they need not all exist at once. Thread-safe to read.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>

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
  // (1, columns) where all rows, also those of other ranks, are the same; else null.
  virtual const at::Tensor* same() const { return nullptr; }
};

// One row, (1, columns) float32, which all rows are.
class SameRows : public RowSource {
 public:
  explicit SameRows(at::Tensor row) : row_(std::move(row)) {}
  std::int64_t columns() const override { return row_.size(1); }
  void rows(const at::Tensor& which, at::Tensor out) const override;
  const at::Tensor* same() const override { return &row_; }

 private:
  at::Tensor row_;
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
