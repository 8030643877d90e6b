// Samples of ranks as the tests of the watch need them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "proto/rank_sample.h"

namespace tradewind::testing {

using proto::RankSample;

// A rank in the middle of a step that computes, `calls` collectives done.
inline RankSample computing(int rank, std::uint64_t calls = 10) {
  RankSample sample{.rank = rank, .pid = 1000 + rank, .host = "here", .device = "cpu"};
  auto& t = sample.telemetry;
  t.known = true;
  t.phase = "step";
  t.layer = "processor layer 1";
  t.step = 3;
  t.steps = 8;
  t.tick = 3 * calls;
  t.enqueued = t.started = t.done = calls;
  t.call = {.sequence = calls,
            .operation = "all_to_all",
            .group = "world",
            .dtype = "Float",
            .place = "processor layer 0",
            .shape = {4, 8}};
  sample.process = {.known = true, .state = 'R'};
  return sample;
}

// A rank that waits in collective `number`.
inline RankSample waiting(int rank, std::uint64_t number = 11) {
  RankSample sample = computing(rank, number - 1);
  auto& t = sample.telemetry;
  t.enqueued = t.started = number;
  t.call.sequence = number;
  t.call.place = "processor layer 1";
  sample.process.state = 'S';
  return sample;
}

inline std::vector<RankSample> ranks(int count, const std::function<RankSample(int)>& make) {
  std::vector<RankSample> samples;
  samples.reserve(static_cast<std::size_t>(count));
  for (int rank = 0; rank < count; ++rank) samples.push_back(make(rank));
  return samples;
}

}  // namespace tradewind::testing
