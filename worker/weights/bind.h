// Tensors of a checkpoint as at::Tensor views of its mapped pages: no copy, never to be written to. The archive must
// outlive them. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include "common/checkpoint/tensor_descriptor.h"

namespace tradewind::weights {

// Same dtype, shape and strides as stored.
at::Tensor bind(const checkpoint::TensorDescriptor& descriptor);
// float32 and contiguous: a view when the file has it so, else a converted copy.
at::Tensor bind_float(const checkpoint::TensorDescriptor& descriptor);
// Tells the system that the tensor's pages will not be read again soon, after a copy in another type was made: they
// leave this process's resident memory, and come back from the file if they are read after all. Nothing happens to
// memory that is not a read-only mapping of a file.
void forget_pages(const checkpoint::TensorDescriptor& descriptor);

}  // namespace tradewind::weights
