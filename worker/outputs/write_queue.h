// Jobs that one thread works through in order behind its owner. What waits is bounded: add() blocks while more bytes
// than the bound are pending (a single job may be larger). One owner; the first exception of a job surfaces on the next
// call, and jobs after it are dropped.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "worker/outputs/output.h"

namespace tradewind::outputs {

class WriteQueue {
 public:
  explicit WriteQueue(std::size_t most_pending_bytes) : most_pending_(most_pending_bytes), thread_([this] { run(); }) {}
  ~WriteQueue();  // finishes the job at hand and drops the others
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  void add(std::size_t bytes, std::function<void()> job);
  void finish();  // returns when all jobs are done
  OutputFigures figures() const;

 private:
  struct Job {
    std::size_t bytes = 0;
    std::function<void()> work;
  };
  void run();

  const std::size_t most_pending_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::size_t pending_ = 0;
  bool stop_ = false;
  std::exception_ptr error_;
  OutputFigures figures_;
  std::thread thread_;
};

}  // namespace tradewind::outputs
