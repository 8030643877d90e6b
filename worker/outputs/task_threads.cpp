#include "worker/outputs/task_threads.h"

#include <sys/resource.h>

#include <utility>

namespace tradewind::outputs {

TaskThreads::TaskThreads(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

TaskThreads::~TaskThreads() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void TaskThreads::start(std::size_t count, std::function<void(std::size_t)> task) {
  wait();
  const std::lock_guard lock(mutex_);
  task_ = std::move(task);
  next_ = 0;
  count_ = count;
  changed_.notify_all();
}

void TaskThreads::wait() {
  std::unique_lock lock(mutex_);
  while (next_ < count_) run_next(lock);
  changed_.wait(lock, [&] { return next_ == count_ && running_ == 0; });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void TaskThreads::run() {
  (void)::setpriority(PRIO_PROCESS, 0, 15);  // of this thread; it fails when the process has less
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || next_ < count_; });
    if (stop_) return;
    run_next(lock);
  }
}

void TaskThreads::run_next(std::unique_lock<std::mutex>& lock) {
  const std::size_t index = next_++;
  ++running_;
  lock.unlock();
  std::exception_ptr error;
  try {
    task_(index);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  --running_;
  if (error && !error_) error_ = error;
  if (error) next_ = count_;  // the rest is of no use
  changed_.notify_all();
}

}  // namespace tradewind::outputs
