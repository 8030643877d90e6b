// Sizes that bound what the layers of a model hold at a time: one place for the layers that keep to them and for the
// estimate of a rank's memory (memory_estimate.h). Pure functions of the numbers they are given.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tradewind::checkpoint::limits {

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;

// What a layer may keep of what no step changes, such as terms of edges: beyond that it is made again in each step.
constexpr std::int64_t kept_bytes = 512 * mebibyte;

// Rows of a chunk that one thread works on, such that (rows, columns) float32 stays near the caches: multiples of the
// attention kernel's block of queries, and enough for matrix products. On a device with launches each operation on a
// chunk is one, so chunks are large.
constexpr std::int64_t chunk_bytes = 2 * mebibyte, device_chunk_bytes = 256 * mebibyte;
constexpr std::int64_t chunk_step = 48, chunk_least = 96, chunk_most = 4096;
// Chunks for each thread, so that threads end together.
constexpr std::int64_t chunks_per_thread = 4;

constexpr std::int64_t chunk_rows(std::int64_t columns, std::int64_t limit) {
  const std::int64_t rows = chunk_bytes / 4 / std::max<std::int64_t>(1, columns) / chunk_step * chunk_step;
  return std::max<std::int64_t>(1, std::min(std::clamp(rows, chunk_least, chunk_most), limit));
}
constexpr std::int64_t device_chunk_rows(std::int64_t columns, std::int64_t limit) {
  return std::max<std::int64_t>(1, std::min(device_chunk_bytes / 4 / std::max<std::int64_t>(1, columns), limit));
}
// At most `chunk` rows, fewer if `threads` would otherwise have less than a few chunks each of `rows`.
constexpr std::int64_t shared_chunk(std::int64_t rows, std::int64_t chunk, std::int64_t threads) {
  if (threads == 1) return chunk;
  const std::int64_t share = (rows + threads * chunks_per_thread - 1) / (threads * chunks_per_thread);
  return std::min(chunk, std::max(chunk_least, (share + chunk_step - 1) / chunk_step * chunk_step));
}

// Source rows that a mapper over a graph holds keys and values (or terms) of at a time, all lanes together `bytes` a
// row: about a sixth of all, so that they shrink with a rank's share.
constexpr std::int64_t piece_share = 6, piece_least_bytes = 8 * mebibyte, piece_most_bytes = 64 * mebibyte;
constexpr std::int64_t sources_per_piece(std::int64_t sources, std::int64_t bytes) {
  return std::max<std::int64_t>(1,
                                std::clamp(sources * bytes / piece_share, piece_least_bytes, piece_most_bytes) / bytes);
}

// Where ranks share the heads of an attention, each of query, key and value goes in rounds of this much.
constexpr std::int64_t round_bytes = 4 * mebibyte, round_least_rows = 64;

// Weights of at most so many values are packed for products of our own, in float32.
constexpr std::int64_t packed_values = std::int64_t{64} << 10;

// Edge attributes of an attention are padded to a multiple of these columns.
constexpr std::int64_t attribute_padding = 8;

}  // namespace tradewind::checkpoint::limits
