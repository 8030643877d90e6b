// Rows that a layer reads piece by piece, so that they need not all exist at once. The table they come from is this
// rank's own rows followed by its halo rows. Thread-safe to read.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace tradewind::nn {

class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual std::int64_t columns() const = 0;
  // Copies the named rows of the table to out (which.size(), columns), float32 contiguous.
  virtual void rows(std::span<const std::int64_t> which, at::Tensor out) const = 0;
  // The same for consecutive rows.
  void range(std::int64_t begin, std::int64_t end, at::Tensor out) const;
};

// Rows of two float32 contiguous tensors: own, then halo.
class TensorRows : public RowSource {
 public:
  TensorRows(at::Tensor own, at::Tensor halo) : own_(std::move(own)), halo_(std::move(halo)) {}
  std::int64_t columns() const override { return own_.size(1); }
  void rows(std::span<const std::int64_t> which, at::Tensor out) const override;

 private:
  at::Tensor own_, halo_;
};

}  // namespace tradewind::nn
