// The rows the encoder reads: of one grid point the normalised variables at every input time, oldest first, then the
// node's coordinates and trainable values. Made when they are read, from the state and the node's attributes.
#pragma once

#include <ATen/core/Tensor.h>

#include "worker/nn/row_source.h"
#include "worker/preprocess/preprocessing.h"

namespace tradewind::nn {

class InputRows : public RowSource {
 public:
  // x (input steps, rows, variables) float32 contiguous; attributes (rows, k) likewise. All are referred to.
  InputRows(const at::Tensor& x, const at::Tensor& attributes, const preprocess::Preprocessing& preprocessing,
            const Operations& operations)
      : x_(x), attributes_(attributes), preprocessing_(preprocessing), operations_(operations) {}
  std::int64_t columns() const override { return x_.size(0) * x_.size(2) + attributes_.size(1); }
  void rows(const at::Tensor& which, at::Tensor out) const override;
  void range(std::int64_t begin, std::int64_t end, at::Tensor out) const override;

 private:
  // The rows of `index`, or where it is undefined the rows from `first` on.
  void fill(const at::Tensor& index, std::int64_t first, at::Tensor& out) const;
  void fill_scaled(const preprocess::Affine& affine, const at::Tensor& index, std::int64_t first,
                   at::Tensor& out) const;

  const at::Tensor& x_;
  const at::Tensor& attributes_;
  const preprocess::Preprocessing& preprocessing_;
  const Operations& operations_;
};

}  // namespace tradewind::nn
