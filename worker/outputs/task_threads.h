// A few threads that work through numbered tasks while their owner does something else. They have a low priority:
// threads of the model, which wait for one another, lose more by an interruption than these gain. Who waits for them
// lends a hand. One owner: start() and wait() from one thread. The first exception of a task surfaces in wait().
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tradewind::outputs {

class TaskThreads {
 public:
  explicit TaskThreads(int threads);
  ~TaskThreads();
  // Runs task(0) ... task(count - 1), in any order, some of them in wait(). Waits for earlier tasks first.
  void start(std::size_t count, std::function<void(std::size_t)> task);
  void wait();

 private:
  void run();
  void run_next(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void(std::size_t)> task_;
  std::size_t next_ = 0, count_ = 0, running_ = 0;
  std::exception_ptr error_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tradewind::outputs
