// What the layers of a model take scratch memory for: each purpose has its own, reused from layer to layer. For the
// layers (worker/nn/workspace.h) and for the estimate of their memory (scratch.h).
#pragma once

namespace tradewind::checkpoint {

struct ScratchPurposes {
  enum Purpose {
    input,
    embedded,
    normalized,
    query,
    key,
    value,
    attended,
    inner,
    inner_other,
    gate,
    rounded,
    operand,
    weight,
    product,
    result,
    sums,        // first-layer sums of edges
    sums_other,  // of their second lane
    messages,    // of the edges of a chunk
    summed,      // messages by destination
    condition,   // of the rows of a chunk
    scale,       // what a norm makes of it
    shift,
    latents,  // of all edges, from layer to layer
    encoded,  // source rows that are made again for the decoder
    count_
  };
};

}  // namespace tradewind::checkpoint
