// Rows shared out among threads: each once, with memory of its own, and a failure of one is the caller's.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "worker/nn/chunks.h"

using namespace tradewind;

namespace {

// Of at::set_num_threads, for the life of one.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace

TEST_CASE("chunks cover every row once, whatever the threads") {
  for (const int threads : {1, 2, 5}) {
    const Threads set(threads);
    for (const std::int64_t rows : {0, 1, 95, 97, 1000, 5248}) {
      nn::Workspace workspace;
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(rows));
      std::atomic<std::int64_t> largest{0};
      nn::for_each_chunk(rows, 300, workspace, [&](std::int64_t begin, std::int64_t count) {
        for (std::int64_t row = begin; row < begin + count; ++row) ++seen[static_cast<std::size_t>(row)];
        for (std::int64_t known = largest; count > known && !largest.compare_exchange_weak(known, count);) continue;
      });
      bool once = true;
      for (const std::atomic<int>& count : seen) once = once && count == 1;
      CHECK(once);
      CHECK(largest <= 300);
    }
  }
}

TEST_CASE("one thread works in order with whole chunks") {
  const Threads set(1);
  nn::Workspace workspace;
  std::vector<std::int64_t> begins;
  nn::for_each_chunk(700, 300, workspace, [&](std::int64_t begin, std::int64_t) { begins.push_back(begin); });
  CHECK(begins == std::vector<std::int64_t>{0, 300, 600});
}

TEST_CASE("threads work at the same time") {
  const Threads set(2);
  nn::Workspace workspace;
  std::atomic<int> here{0}, met{0};
  nn::for_each_task(2, workspace, [&](std::int64_t) {
    ++here;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (here < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    if (here == 2) ++met;
  });
  CHECK(met == 2);
}

TEST_CASE("tasks have memory of their own, and the caller's mode") {
  const Threads set(4);
  const c10::InferenceMode inference;
  nn::Workspace workspace;
  const std::int64_t tasks = 64, rows = 200, columns = 30;
  std::vector<double> sums(static_cast<std::size_t>(tasks));
  std::atomic<int> outside{0};
  nn::for_each_task(tasks, workspace, [&](std::int64_t i) {
    if (!c10::InferenceMode::is_enabled()) ++outside;
    at::Tensor mine = workspace.take(nn::Workspace::inner, rows, columns);
    for (std::int64_t row = 0; row < rows; ++row) mine.select(0, row).fill_(static_cast<double>(i));
    sums[static_cast<std::size_t>(i)] = mine.sum().item<double>();
  });
  CHECK(outside == 0);
  for (std::int64_t i = 0; i < tasks; ++i) CHECK(sums[static_cast<std::size_t>(i)] == rows * columns * i);
}

TEST_CASE("a call inside another is serial") {
  const Threads set(3);
  nn::Workspace workspace;
  std::atomic<int> disorder{0}, calls{0};
  nn::for_each_task(6, workspace, [&](std::int64_t) {
    std::int64_t next = 0;
    nn::for_each_chunk(500, 100, workspace, [&](std::int64_t begin, std::int64_t count) {
      if (begin != next || count != 100) ++disorder;
      next = begin + count;
      ++calls;
    });
  });
  CHECK(disorder == 0);
  CHECK(calls == 30);
}

TEST_CASE("an exception of a task is the caller's") {
  const Threads set(3);
  nn::Workspace workspace;
  const auto run = [&] {
    nn::for_each_task(20, workspace, [](std::int64_t i) {
      if (i == 7) throw std::runtime_error("seven");
    });
  };
  CHECK_THROWS_WITH_AS(run(), "seven", std::runtime_error);
}
